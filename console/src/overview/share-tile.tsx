import { Paper, Progress, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { CountedTokens } from './numbers';
import { NumberLink } from './number-link';

/** One number that somebody should look at, and how much of all it is. */
export function ShareTile({ label, of, total }: { label: string; of: CountedTokens; total: number }) {
  const { t, i18n } = useTranslation('overview');
  const share = total === 0 ? 0 : of.count / total;
  const format = new Intl.NumberFormat(i18n.language, { style: 'percent', maximumFractionDigits: 1 });
  return (
    <Paper withBorder p="sm" component="li" className="share-tile">
      <Text size="sm">{label}</Text>
      <NumberLink of={of} label={label} size="1.6rem" />
      <Progress value={100 * share} size="sm" aria-hidden color={of.count === 0 ? 'gray' : 'orange'} />
      <Text size="xs" c="dimmed">
        {t('share', { percent: format.format(share) })}
      </Text>
    </Paper>
  );
}
