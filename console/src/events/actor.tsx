import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { administers, useMe } from '../api/me';
import { PERSON } from '../person/queries';
import type { Schemas } from '../api/client';

export type EventActor = Pick<Schemas['AuditActor'], 'type' | 'id'>;

/** Who is known already where an event is shown: the owner of a token, the person of a page. */
export interface KnownPerson {
  id: string;
  login: string;
}

/** Who did something, by name, and the way to them where the reader may go there. */
export function Actor({ actor, known }: { actor: EventActor; known?: KnownPerson | undefined }) {
  const { t } = useTranslation('events');
  if (actor.id === null) return <Strong>{t(actor.type === 'system' ? 'system' : 'stranger')}</Strong>;
  if (actor.type === 'token') {
    return <TokenName tokenId={actor.id} />;
  }
  return <Person id={actor.id} known={known} />;
}

/** A token by its id, which is safe to show; only a token id leads somewhere. */
export function TokenName({ tokenId }: { tokenId: string }) {
  const { t } = useTranslation('events');
  if (!tokenId.startsWith('pt-')) return <Strong>{t('aToken')}</Strong>;
  return (
    <Anchor component={Link} href={`/token/${tokenId}`} className="mono" underline="always" inherit>
      {tokenId}
    </Anchor>
  );
}

/** A user by login. Members learn no names but their own: whoever else acts on what is theirs administers it. */
export function Person({ id, known }: { id: string; known?: KnownPerson | undefined }) {
  const { t } = useTranslation('events');
  const me = useMe();
  const isKnown = known?.id === id;
  const mayAsk = administers(me) && me.user.id !== id && !isKnown;
  const query = useQuery({ ...PERSON(id), enabled: mayAsk });
  if (me.user.id === id) return <Strong>{t('you', { login: me.user.login })}</Strong>;
  const login = isKnown ? known.login : query.data?.login;
  if (login !== undefined) return <PersonLink login={login} />;
  if (!administers(me)) return <Strong>{t('administrator')}</Strong>;
  if (query.isPending) return <Strong>…</Strong>;
  return (
    <Strong>
      {t('formerUser')} <span className="mono">{id}</span>
    </Strong>
  );
}

/** A login, and for administrators the way to the page of whose it is. */
export function PersonLink({ login }: { login: string }) {
  if (!administers(useMe())) return <Strong>{login}</Strong>;
  return (
    <Anchor component={Link} href={`/people/${encodeURIComponent(login)}`} underline="always" inherit>
      {login}
    </Anchor>
  );
}

function Strong({ children }: { children: ReactNode }) {
  return (
    <Text span inherit fw={600}>
      {children}
    </Text>
  );
}
