import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/client';

export type AuditAction = Schemas['AuditEvent']['action'];

/** What can be looked for, by what it is about, in the order of how often it is. */
export const ACTIONS = {
  tokens: [
    'token.create',
    'token.update',
    'token.rotate',
    'token.revoke',
    'token.refuse',
    'token.reuse',
    'token.leak',
    'token.reveal',
    'token.replay',
    'token.exchange',
    'token.import',
    'token.export',
    'jwt.issue',
    'revocation.preview',
    'revocation.start',
  ],
  people: [
    'login.success',
    'login.fail',
    'login.block',
    'access.refuse',
    'session.create',
    'session.end',
    'identity.link',
    'user.create',
    'user.update',
    'user.delete',
    'group.create',
    'group.update',
    'group.delete',
  ],
  organizations: [
    'organization.create',
    'location.create',
    'policy.update',
    'policy.refuse',
    'noticeChannel.create',
    'noticeChannel.update',
    'noticeChannel.delete',
    'noticeChannel.disable',
    'noticeChannel.rotateSecret',
    'noticeChannel.test',
    'notice.redeliver',
  ],
  work: ['job.start', 'job.end', 'job.cancel', 'audit.export', 'audit.prune'],
} as const satisfies Record<string, readonly AuditAction[]>;

const KNOWN: ReadonlySet<string> = new Set(Object.values(ACTIONS).flat());

/** An action as a few words, for lists to choose from; one that there are no words for as it is. */
export function useActionName(): (action: string) => string {
  const { t } = useTranslation('audit');
  return (action) => (KNOWN.has(action) ? t(`actions.${action}`) : action);
}
