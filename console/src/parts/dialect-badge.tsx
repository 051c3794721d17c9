import { Badge } from '@mantine/core';

/** The system whose API a token is of. */
export function DialectBadge({ dialect }: { dialect: string }) {
  return (
    <Badge component="span" variant="default" tt="none">
      {dialect}
    </Badge>
  );
}
