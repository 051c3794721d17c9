import { useTranslation } from 'react-i18next';
import type { Me } from '../api/me';
import { Card } from '../parts/card';
import { Facts } from '../parts/facts';
import { UserFacts } from '../parts/user-facts';

/** Who I am, as administrators have it. */
export function AccountFacts({ user }: { user: Me['user'] }) {
  const { t } = useTranslation('account');
  return (
    <Card title={t('facts.title')}>
      <Facts>
        <UserFacts user={user} />
      </Facts>
    </Card>
  );
}
