import {
  IconAlertTriangle,
  IconBan,
  IconKey,
  IconLogin2,
  IconPencil,
  IconPlus,
  IconPoint,
  IconRefresh,
  IconUser,
} from '@tabler/icons-react';

const ICONS: [sign: RegExp, Icon: typeof IconPlus][] = [
  [/^token\.(create|import)$/, IconPlus],
  [/^token\.rotate$/, IconRefresh],
  [/^(token\.revoke|revocation\.start|user\.delete)$/, IconBan],
  [/(refuse|reuse|leak|fail|block)$/, IconAlertTriangle],
  [/^(token|policy)\.update$/, IconPencil],
  [/^(login|session|identity)\./, IconLogin2],
  [/^(user|group)\./, IconUser],
  [/^(token|jwt)\./, IconKey],
];

/** The kind of an event at a glance; the sentence beside it says it. */
export function EventIcon({ action }: { action: string }) {
  const Icon = ICONS.find(([sign]) => sign.test(action))?.[1] ?? IconPoint;
  return <Icon size={14} aria-hidden />;
}
