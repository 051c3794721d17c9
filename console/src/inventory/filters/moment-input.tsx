import { Group, NumberInput, Radio, Select, Stack, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { TokenFilterName } from '../token-filters';

const UNITS = { hours: 3_600_000, days: 86_400_000 } as const;
type Unit = keyof typeof UNITS;
const FIRST_DAYS = 30;

/** A moment so long ago, or ahead where something is to come; or an exact one. It is exact in the address in either way. */
export function MomentInput({
  name,
  value,
  onValue,
}: {
  name: TokenFilterName;
  value: string;
  onValue: (value: string) => void;
}) {
  const { t } = useTranslation('inventory');
  const isAhead = name === 'expiresBefore' || name === 'expiresAfter';
  const [way, setWay] = useState(value === '' ? 'distance' : 'exact');
  const [amount, setAmount] = useState<number | string>(FIRST_DAYS);
  const [unit, setUnit] = useState<Unit>('days');
  const [begin] = useState(Date.now);
  const away = (nextAmount: number | string, nextUnit: Unit): void => {
    setAmount(nextAmount);
    setUnit(nextUnit);
    const moment = begin + (isAhead ? 1 : -1) * Number(nextAmount) * UNITS[nextUnit];
    onValue(nextAmount === '' ? '' : isoOf(moment));
  };
  useEffect(() => {
    // What stands in the fields is meant, also when nobody touches it.
    // oxlint-disable-next-line react/set-state-in-effect -- once
    if (value === '') away(amount, unit);
    // oxlint-disable-next-line exhaustive-deps -- once
  }, []);
  const direction = isAhead ? 'ahead' : 'ago';
  return (
    <Radio.Group
      label={t(`filters.names.${name}`)}
      description={t(`filters.about.${name}`)}
      value={way}
      onChange={(next) => {
        setWay(next);
        if (next === 'distance') away(amount, unit);
      }}
    >
      <Stack gap="sm" mt="xs">
        <Radio value="distance" label={t(`filters.moment.${direction}`)} />
        {way === 'distance' && (
          <Group gap="sm" pl="xl" wrap="nowrap">
            <NumberInput
              aria-label={t('filters.moment.amount')}
              min={0}
              max={100_000}
              allowDecimal={false}
              allowNegative={false}
              value={amount}
              onChange={(next) => away(next, unit)}
              w={110}
              data-autofocus
            />
            <Select
              aria-label={t('filters.moment.unit')}
              data={(Object.keys(UNITS) as Unit[]).map((one) => ({
                value: one,
                label: t(`filters.moment.${one}`),
              }))}
              value={unit}
              allowDeselect={false}
              onChange={(next) => away(amount, (next ?? 'days') as Unit)}
              w={130}
            />
          </Group>
        )}
        <Radio value="exact" label={t('filters.moment.exact')} />
        {way === 'exact' && (
          <TextInput
            pl="xl"
            type="datetime-local"
            step={1}
            aria-label={t('filters.moment.exact')}
            value={localOf(value)}
            onChange={(event) => onValue(isoOf(Date.parse(event.currentTarget.value)))}
          />
        )}
      </Stack>
    </Radio.Group>
  );
}

function isoOf(moment: number): string {
  return Number.isFinite(moment) && Math.abs(moment) < 8.64e15 ? new Date(moment).toISOString() : '';
}

/** An instant as the field has it, in local time; what is none shows as nothing. */
function localOf(instant: string): string {
  const time = Date.parse(instant);
  if (Number.isNaN(time)) return '';
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
