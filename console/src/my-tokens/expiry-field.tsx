import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { TokenDraft } from './draft';
import { useDuration } from './duration';
import {
  dateFault,
  expiriesOf,
  type Expiry,
  latestExpiry,
  lifetimeByPolicy,
  localInput,
  refusalOf,
} from './expiry';
import type { Policy } from './queries';

/** When a token ends, within what the organization allows. */
export function ExpiryField({
  draft: { expiry, date },
  policy,
  onChange,
  error,
}: {
  draft: Pick<TokenDraft, 'expiry' | 'date'>;
  policy: Policy;
  onChange: (changes: Partial<Pick<TokenDraft, 'expiry' | 'date'>>) => void;
  error: string | undefined;
}) {
  const { t } = useTranslation('my-tokens');
  const duration = useDuration();
  const { maxLifetimeSeconds } = policy;
  const labelOf = (choice: Expiry): string => {
    if (choice === 'policy') return t('expiry.policy', { duration: duration(lifetimeByPolicy(policy) ?? 0) });
    if (choice === 'date' || choice === 'never') return t(`expiry.${choice}`);
    return t('expiry.days', { duration: duration(Number(choice) * 86_400) });
  };
  const [now] = useState(Date.now);
  const fault = expiry === 'date' && date !== '' ? dateFault(date, policy, now) : undefined;
  const latest = latestExpiry(policy, now);
  return (
    <Stack gap="sm">
      {maxLifetimeSeconds !== null && (
        <Text size="sm">{t('expiry.rule', { duration: duration(maxLifetimeSeconds) })}</Text>
      )}
      <Radio.Group
        aria-label={t('expiry.title')}
        value={expiry}
        onChange={(value) => onChange({ expiry: value as Expiry })}
        error={expiry === 'date' ? undefined : error}
      >
        <Stack gap="xs">
          {expiriesOf(policy).map((choice) => {
            const refusal = refusalOf(choice, policy);
            return (
              <Radio
                key={choice}
                value={choice}
                label={labelOf(choice)}
                disabled={refusal !== undefined}
                description={
                  refusal && t(`expiry.${refusal}`, { duration: duration(maxLifetimeSeconds ?? 0) })
                }
              />
            );
          })}
        </Stack>
      </Radio.Group>
      {expiry === 'date' && (
        <TextInput
          type="datetime-local"
          label={t('expiry.dateLabel')}
          value={date}
          min={localInput(new Date(now))}
          max={latest && localInput(latest)}
          onChange={(event) => onChange({ date: event.currentTarget.value })}
          error={fault ? t(`expiry.${fault}`, { duration: duration(maxLifetimeSeconds ?? 0) }) : error}
          maw={280}
          required
        />
      )}
    </Stack>
  );
}
