import { useTranslation } from 'react-i18next';
import type { Me } from '../api/me';
import { Card } from '../parts/card';
import { Fact, Facts } from '../parts/facts';
import { Moment } from '../parts/moment';

/** Who I am, as administrators have it. */
export function AccountFacts({ user }: { user: Me['user'] }) {
  const { t } = useTranslation('account');
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
        <Fact name={t('facts.created')}>
          <Moment at={user.createdAt} />
        </Fact>
      </Facts>
    </Card>
  );
}
