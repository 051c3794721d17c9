import { Anchor, Button, Group, List, Loader, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Failed } from '../parts/states';
import { type PolicyPreview, RULES } from './policy-queries';

/** So many of the sample are shown before somebody asks for the others. */
const FIRST = 5;

/** What the policy in the form would mean for the tokens that are there. */
export function PolicyEffects({
  preview,
  isCounting,
  isReadable,
  error,
  onRetry,
}: {
  preview: PolicyPreview | undefined;
  /** What is shown is of an earlier draft, or nothing yet. */
  isCounting: boolean;
  /** Whether the form holds a policy at all. */
  isReadable: boolean;
  error: unknown;
  onRetry: () => void;
}) {
  const { t, i18n } = useTranslation('policy');
  const heading = useId();
  const number = new Intl.NumberFormat(i18n.language);
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={heading} aria-busy={isCounting} miw={0}>
      <Stack gap="sm">
        <Group justify="space-between" mih={28}>
          <Title order={2} size="h4" id={heading}>
            {t('effects.title')}
          </Title>
          {isCounting && <Loader size="xs" aria-label={t('effects.counting')} role="status" />}
        </Group>
        {!isReadable && <Text size="sm">{t('effects.unreadable')}</Text>}
        {isReadable && error !== null && <Failed error={error} onRetry={onRetry} />}
        {preview && (
          <>
            <Text aria-live="polite">
              {preview.affected === 0
                ? t('effects.none')
                : t('effects.affected', {
                    count: preview.affected,
                    formatted: number.format(preview.affected),
                  })}
            </Text>
            {preview.affected > 0 && <ByRule preview={preview} />}
            {preview.sample.length > 0 && <Sample preview={preview} />}
          </>
        )}
      </Stack>
    </Paper>
  );
}

function ByRule({ preview: { byRule } }: { preview: PolicyPreview }) {
  const { t, i18n } = useTranslation('policy');
  const counts = Object.entries(byRule)
    .filter(([, count]) => count > 0)
    .sort(([one], [other]) => RULES.indexOf(one as never) - RULES.indexOf(other as never));
  return (
    <Table aria-label={t('effects.byRule')} withRowBorders={false} verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('effects.rule')}</Table.Th>
          <Table.Th ta="right">{t('effects.tokens')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {counts.map(([rule, count]) => (
          <Table.Tr key={rule}>
            <Table.Td>{t(`effects.rules.${rule}`)}</Table.Td>
            <Table.Td ta="right">{new Intl.NumberFormat(i18n.language).format(count)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Sample({ preview: { affected, sample } }: { preview: PolicyPreview }) {
  const { t } = useTranslation('policy');
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? sample : sample.slice(0, FIRST);
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        {sample.length < affected ? t('effects.newest', { count: sample.length }) : t('effects.these')}
      </Text>
      <List size="sm" listStyleType="none" spacing={4} aria-label={t('effects.these')}>
        {shown.map(({ tokenId, name, dialect, owner }) => (
          <List.Item key={tokenId} style={{ overflowWrap: 'anywhere' }}>
            <Anchor component={Link} href={`/token/${tokenId}`} inherit>
              {name}
            </Anchor>{' '}
            <Text span inherit c="dimmed">
              {dialect} · {owner.login}
            </Text>
          </List.Item>
        ))}
      </List>
      {shown.length < sample.length && (
        <Button variant="default" size="xs" onClick={() => setShowsAll(true)} style={{ alignSelf: 'start' }}>
          {t('effects.more', { count: sample.length - shown.length })}
        </Button>
      )}
    </Stack>
  );
}
