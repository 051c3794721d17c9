import { IconBan, IconCircleCheck, IconClockOff, IconPlayerPause } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/client';
import { SignBadge } from './sign-badge';

const SIGNS = {
  active: { Icon: IconCircleCheck, color: 'green' },
  inactive: { Icon: IconPlayerPause, color: 'gray' },
  expired: { Icon: IconClockOff, color: 'orange' },
  revoked: { Icon: IconBan, color: 'red' },
} as const;

/** Whether a token works, by a word and a sign; the colour comes on top. */
export function StatusBadge({ status }: { status: Schemas['Token']['status'] }) {
  const { t } = useTranslation();
  return <SignBadge {...SIGNS[status]} text={t(`statuses.${status}`)} />;
}
