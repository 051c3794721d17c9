import { Fieldset, Group, NumberInput, Select, Stack, Switch, Text } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { type Unit, UNITS } from './durations';
import type { AmountDraft, DurationDraft } from './policy-draft';
import type { Rule } from './policy-queries';

/** A rule: its name, what it does, and the way to set it. */
export function RuleField({
  rule,
  error,
  children,
}: {
  rule: Rule;
  error?: string | undefined;
  children: ReactNode;
}) {
  const { t } = useTranslation('policy');
  const explanation = useId();
  return (
    <Fieldset
      legend={
        <Text span inherit fw={600}>
          {t(`rules.${rule}.name`)}
        </Text>
      }
      aria-describedby={explanation}
      miw={0}
    >
      <Stack gap="sm">
        <Text size="sm" c="dimmed" id={explanation}>
          {t(`rules.${rule}.what`)}
        </Text>
        {children}
        {error && (
          <Text size="sm" role="alert" c="var(--mantine-color-error)">
            {error}
          </Text>
        )}
      </Stack>
    </Fieldset>
  );
}

interface LimitProps<Draft> {
  rule: Rule;
  value: Draft;
  onChange: (value: Draft) => void;
  error: string | undefined;
}

/** A number, or none. */
export function AmountField({ rule, value, onChange, error }: LimitProps<AmountDraft>) {
  return (
    <RuleField rule={rule} error={error}>
      <Unlimited rule={rule} value={value} onChange={onChange} />
      {value.isLimited && <Amount rule={rule} value={value} onChange={onChange} isWrong={Boolean(error)} />}
    </RuleField>
  );
}

/** A length of time as a number and a unit, or none. */
export function DurationField({
  rule,
  value,
  onChange,
  error,
  hasSwitch = true,
}: LimitProps<DurationDraft> & { hasSwitch?: boolean }) {
  const { t } = useTranslation('policy');
  return (
    <RuleField rule={rule} error={error}>
      {hasSwitch && <Unlimited rule={rule} value={value} onChange={onChange} />}
      {value.isLimited && (
        <Group gap="xs" wrap="nowrap">
          <Amount rule={rule} value={value} onChange={onChange} isWrong={Boolean(error)} />
          <Select
            aria-label={t('unitOf', { rule: t(`rules.${rule}.name`) })}
            data={UNITS.map((unit) => ({ value: unit, label: t(`units.${unit}`) }))}
            value={value.unit}
            onChange={(unit) => unit !== null && onChange({ ...value, unit: unit as Unit })}
            allowDeselect={false}
            w={130}
          />
        </Group>
      )}
    </RuleField>
  );
}

function Unlimited<Draft extends AmountDraft>({
  rule,
  value,
  onChange,
}: {
  rule: Rule;
  value: Draft;
  onChange: (value: Draft) => void;
}) {
  const { t } = useTranslation('policy');
  return (
    <Switch
      label={t(`rules.${rule}.none`)}
      checked={!value.isLimited}
      onChange={(event) => onChange({ ...value, isLimited: !event.currentTarget.checked })}
    />
  );
}

function Amount<Draft extends AmountDraft>({
  rule,
  value,
  onChange,
  isWrong,
}: {
  rule: Rule;
  value: Draft;
  onChange: (value: Draft) => void;
  isWrong: boolean;
}) {
  const { t } = useTranslation('policy');
  return (
    <NumberInput
      aria-label={t('amountOf', { rule: t(`rules.${rule}.name`) })}
      value={value.amount}
      onChange={(amount) => onChange({ ...value, amount: String(amount) })}
      error={isWrong}
      min={0}
      allowDecimal={false}
      allowNegative={false}
      w={140}
    />
  );
}
