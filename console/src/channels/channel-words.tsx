import { Group, Text } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconMail,
  IconPlayerPause,
  IconWebhook,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { SignBadge } from '../parts/sign-badge';
import type { Channel, Delivery } from './channel-queries';

/** Where a channel leads to, with a sign for its kind. */
export function ChannelTarget({ channel: { kind, url, to } }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  const Icon = kind === 'webhook' ? IconWebhook : IconMail;
  return (
    <Group component="span" gap={6} wrap="nowrap" display="inline-flex">
      <Icon size={18} role="img" aria-label={t(`kinds.${kind}`)} style={{ flexShrink: 0 }} />
      <span className="anywhere">{url ?? to}</span>
    </Group>
  );
}

/** Whether a channel is sent anything, and whether it takes it. */
export function ChannelState({ channel: { enabled, failures } }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  if (!enabled) return <SignBadge Icon={IconPlayerPause} color="gray" text={t('states.disabled')} />;
  if (failures > 0) {
    const text = t('states.failing', { count: failures });
    return <SignBadge Icon={IconAlertTriangle} color="orange" text={text} />;
  }
  return <SignBadge Icon={IconCircleCheck} color="green" text={t('states.enabled')} />;
}

const DELIVERIES = {
  delivered: { Icon: IconCircleCheck, color: 'green' },
  waiting: { Icon: IconClock, color: 'blue' },
  failed: { Icon: IconCircleX, color: 'red' },
} as const;

export function DeliveryState({ status }: Pick<Delivery, 'status'>) {
  const { t } = useTranslation('channels');
  return <SignBadge {...DELIVERIES[status]} text={t(`deliveries.statuses.${status}`)} />;
}

/** Whose tokens and policy a channel is told of. */
export function ChannelScope({ channel: { organization } }: { channel: Channel }) {
  const { t } = useTranslation('channels');
  return (
    <Text span inherit>
      {organization ? organization.name : t('everyOrganization')}
    </Text>
  );
}
