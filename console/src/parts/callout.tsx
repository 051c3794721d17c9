import { Alert } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';

const TONES = {
  good: { Icon: IconCircleCheck, color: 'green' },
  warning: { Icon: IconAlertTriangle, color: 'orange' },
  danger: { Icon: IconAlertTriangle, color: 'red' },
} as const;

/** What matters more than the text around it. The sign and the edge have a colour; the words keep their contrast. */
export function Callout({
  tone,
  title,
  children,
  Icon = TONES[tone].Icon,
  role,
}: {
  tone: keyof typeof TONES;
  title: string;
  children: ReactNode;
  Icon?: typeof IconCircleCheck;
  /** Default: `alert` for danger, which is read out at once, and `note` for all else. */
  role?: string;
}) {
  const color = `var(--mantine-color-${TONES[tone].color}-6)`;
  return (
    <Alert
      variant="default"
      title={title}
      icon={<Icon aria-hidden color={color} />}
      role={role ?? (tone === 'danger' ? 'alert' : 'note')}
      style={{ borderInlineStart: `4px solid ${color}` }}
    >
      {children}
    </Alert>
  );
}
