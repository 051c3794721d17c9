import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/client';
import { Fact } from './facts';
import { Moment } from './moment';

/** Who somebody is, as everybody may know it who sees them at all. */
export function UserFacts({ user }: { user: Schemas['User'] }) {
  const { t } = useTranslation();
  return (
    <>
      <Fact name={t('user.login')}>
        <span className="mono">{user.login}</span>
      </Fact>
      <Fact name={t('user.name')}>{user.name ?? '—'}</Fact>
      <Fact name={t('user.email')}>{user.email ?? '—'}</Fact>
      <Fact name={t('user.role')}>{t(`roles.${user.role}`)}</Fact>
      <Fact name={t('user.organization')}>{user.organization.name}</Fact>
      <Fact name={t('user.locations')}>{user.locations.map(({ name }) => name).join(', ') || '—'}</Fact>
      <Fact name={t('user.created')}>
        <Moment at={user.createdAt} />
      </Fact>
    </>
  );
}
