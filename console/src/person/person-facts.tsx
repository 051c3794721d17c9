import { useTranslation } from 'react-i18next';
import { Card } from '../parts/card';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';
import type { User } from './queries';

/** Who somebody is. */
export function PersonFacts({ user }: { user: User }) {
  const { t } = useTranslation('person');
  return (
    <Card title={t('facts.title')}>
      <Facts>
        <Fact name={t('facts.login')}>
          <span className="mono">{user.login}</span>
        </Fact>
        <Fact name={t('facts.name')}>{user.name ?? '—'}</Fact>
        <Fact name={t('facts.email')}>{user.email ?? '—'}</Fact>
        <Fact name={t('facts.role')}>{t(`shell:roles.${user.role}`)}</Fact>
        <Fact name={t('facts.organization')}>{user.organization.name}</Fact>
        <Fact name={t('facts.locations')}>{user.locations.map(({ name }) => name).join(', ') || '—'}</Fact>
        {user.permissions.length > 0 && (
          <Fact name={t('facts.permissions')}>
            <span className="mono">{user.permissions.join(', ')}</span>
          </Fact>
        )}
        <Fact name={t('facts.account')}>{t(user.disabled ? 'facts.isDisabled' : 'facts.isEnabled')}</Fact>
        <Fact name={t('facts.created')}>
          <Moment at={user.createdAt} />
        </Fact>
      </Facts>
    </Card>
  );
}
