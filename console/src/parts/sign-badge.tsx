import { Badge } from '@mantine/core';
import type { Icon } from '@tabler/icons-react';

/** What something is, by a word and a sign; the colour comes on top. */
export function SignBadge({ Icon, color, text }: { Icon: Icon; color: string; text: string }) {
  return (
    <Badge
      component="span"
      variant="default"
      tt="none"
      miw="max-content"
      leftSection={<Icon size={14} aria-hidden color={`var(--mantine-color-${color}-6)`} />}
    >
      {text}
    </Badge>
  );
}
