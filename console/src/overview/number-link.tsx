import { Anchor, Text } from '@mantine/core';
import type { MantineSize } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { inventoryLink } from '../inventory/token-filters';
import type { CountedTokens } from './numbers';

/** A number that leads to the tokens that it counts. `label` says of what it is to who hears it alone. */
export function NumberLink({
  of: { count, filter },
  label,
  size = 'sm',
}: {
  of: CountedTokens;
  label: string;
  size?: MantineSize | (string & {});
}) {
  const { i18n } = useTranslation();
  const number = new Intl.NumberFormat(i18n.language).format(count);
  return (
    <Anchor
      component={Link}
      href={inventoryLink(filter)}
      aria-label={`${label}: ${number}`}
      underline="always"
    >
      <Text span inherit fz={size} fw={700} className="tabular">
        {number}
      </Text>
    </Anchor>
  );
}
