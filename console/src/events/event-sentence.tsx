import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import type { Schemas } from '../api/client';
import { Actor, type KnownPerson, Person, TokenName } from './actor';

export type AuditEvent = Schemas['AuditEvent'];

/** What happened, as one person would tell it to another. */
export function EventSentence({
  event,
  thisToken,
  known,
}: {
  event: AuditEvent;
  /** The token whose page this is: it is spoken of as this one. */
  thisToken?: string | undefined;
  known?: KnownPerson | undefined;
}) {
  const { t, i18n } = useTranslation('events');
  const key = `actions.${event.action}`;
  const isKnown = i18n.exists(key, { ns: 'events' });
  const who =
    event.actor.id !== null && event.actor.id === thisToken ? (
      <Words>{t('tokenItself')}</Words>
    ) : (
      <Actor actor={event.actor} known={known} />
    );
  return (
    <Trans
      t={t}
      i18nKey={isKnown ? key : 'actions.other'}
      values={{ action: event.action, ...detailsOf(event, t) }}
      // A component each for `<who/>` and `<what/>`: languages put them where they belong.
      components={{ who, what: <EventObject object={event.object} thisToken={thisToken} known={known} /> }}
    />
  );
}

function EventObject({
  object,
  thisToken,
  known,
}: {
  object: AuditEvent['object'];
  thisToken: string | undefined;
  known: KnownPerson | undefined;
}) {
  const { t } = useTranslation('events');
  if (object.id === null) return null;
  if (object.type === 'token') {
    return object.id === thisToken ? <Words>{t('thisToken')}</Words> : <TokenName tokenId={object.id} />;
  }
  if (object.type === 'user') return <Person id={object.id} known={known} />;
  return <Words isMono>{object.id}</Words>;
}

function Words({ children, isMono = false }: { children: ReactNode; isMono?: boolean }) {
  return (
    <Text span inherit className={isMono ? 'mono' : undefined}>
      {children}
    </Text>
  );
}

/** What a sentence says of the details, in words where there are some. */
function detailsOf(
  { after }: AuditEvent,
  t: (key: string, options?: Record<string, unknown>) => string,
): Record<string, string> {
  const reason = after?.['reason'];
  if (typeof reason !== 'string') return {};
  return { reason: t(`reasons.${reason}`, { defaultValue: reason }) };
}
