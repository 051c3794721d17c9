import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { Fact, Facts } from '../parts/facts';
import { UserFacts } from '../parts/user-facts';
import type { User } from './queries';

/** Who somebody is. */
export function PersonFacts({ user }: { user: User }) {
  const { t } = useTranslation('person');
  return (
    <Card title={t('facts.title')}>
      <Facts>
        <UserFacts user={user} />
        {user.permissions.length > 0 && (
          <Fact name={t('facts.permissions')}>
            <span className="mono">{user.permissions.join(', ')}</span>
          </Fact>
        )}
        <Fact name={t('facts.account')}>{t(user.disabled ? 'facts.isDisabled' : 'facts.isEnabled')}</Fact>
      </Facts>
    </Card>
  );
}
