import { Button, Group, List, Stack, Text, Textarea } from '@mantine/core';
import { IconCheck, IconMapPin } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { isFault, onlyAddress, parseCidr, sizeOf } from '../parts/cidr';
import { isWithin, linesOf } from './draft';
import type { Policy } from './queries';

/** A number of addresses beyond this is told as a power of two. */
const MAX_COUNTED = 1n << 40n;

/** From which addresses a token works: blocks, a line each, looked at while they are typed. */
export function CidrField({
  value,
  address,
  policy: { allowedCidrs, requireCidrs },
  onChange,
  error,
}: {
  value: string;
  /** Where the person is now, as the server sees it. */
  address: string | null;
  policy: Policy;
  onChange: (value: string) => void;
  error: string | undefined;
}) {
  const { t } = useTranslation('my-tokens');
  const lines = [...new Set(linesOf(value))];
  const words = useBlockWords(allowedCidrs);
  const faults = lines.flatMap((line) => words(line).fault ?? []);
  const sizes = lines.flatMap((line) => words(line).size ?? []);
  const here = address === null ? undefined : onlyAddress(address);
  const isMissing = requireCidrs && allowedCidrs.length === 0 && lines.length === 0;
  return (
    <Stack gap="sm">
      <Text size="sm">{t(isMissing ? 'places.required' : 'places.text')}</Text>
      {allowedCidrs.length > 0 && (
        <Text size="sm">
          {t('places.rule')} <span className="mono">{allowedCidrs.join(', ')}</span>
        </Text>
      )}
      <Textarea
        label={t('places.label')}
        description={t('places.hint')}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={faults.length > 0 ? faults.map((fault) => <div key={fault}>{fault}</div>) : error}
        classNames={{ input: 'mono' }}
        spellCheck={false}
        autosize
        minRows={2}
        maxRows={8}
      />
      {sizes.length > 0 && (
        <List
          size="sm"
          spacing={2}
          icon={<IconCheck size={14} aria-hidden />}
          aria-label={t('places.covered')}
        >
          {sizes.map((size) => (
            <List.Item key={size}>{size}</List.Item>
          ))}
        </List>
      )}
      {here && (
        <Group>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconMapPin size={14} aria-hidden />}
            onClick={() => onChange(here)}
          >
            {t('places.here', { block: here })}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** What is to be said of a block: how many addresses it has, or what is wrong with it. */
function useBlockWords(bounds: string[]): (line: string) => { fault?: string; size?: string } {
  const { t, i18n } = useTranslation('my-tokens');
  return (block) => {
    const parsed = parseCidr(block);
    if (isFault(parsed)) {
      const { kind, suggestion = '' } = parsed;
      return { fault: t(`places.faults.${kind}`, { block, suggestion }) };
    }
    if (!isWithin(parsed, bounds)) return { fault: t('places.faults.outside', { block }) };
    const size = sizeOf(parsed);
    if (size > MAX_COUNTED) {
      return { size: t('places.powerOfTwo', { block, power: size.toString(2).length - 1 }) };
    }
    const count = Number(size);
    return { size: t('places.count', { block, count, number: count.toLocaleString(i18n.language) }) };
  };
}
