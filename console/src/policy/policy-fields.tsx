import { Fieldset, Radio, SimpleGrid, Stack, Switch, Textarea } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { PolicyDraft } from './policy-draft';
import type { Rule } from './policy-queries';
import { AmountField, DurationField, RuleField } from './rule-field';

/** Every rule of a policy, each with what it does. */
export function PolicyFields({
  draft,
  onChange,
  errorOf,
  isDisabled,
}: {
  draft: PolicyDraft;
  onChange: (changes: Partial<PolicyDraft>) => void;
  errorOf: (rule: Rule) => string | undefined;
  isDisabled: boolean;
}) {
  const { t } = useTranslation('policy');
  const duration = (rule: 'maxLifetimeSeconds' | 'defaultLifetimeSeconds' | 'maxUnusedSeconds') => (
    <DurationField
      rule={rule}
      value={draft[rule]}
      onChange={(value) => onChange({ [rule]: value })}
      error={errorOf(rule)}
    />
  );
  return (
    <Fieldset variant="unstyled" disabled={isDisabled} miw={0} aria-label={t('form')}>
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        {duration('maxLifetimeSeconds')}
        {duration('defaultLifetimeSeconds')}
        <RuleField rule="allowNonExpiring" error={errorOf('allowNonExpiring')}>
          <Switch
            label={t('rules.allowNonExpiring.label')}
            description={draft.maxLifetimeSeconds.isLimited ? t('rules.allowNonExpiring.implied') : undefined}
            checked={draft.allowNonExpiring}
            onChange={(event) => onChange({ allowNonExpiring: event.currentTarget.checked })}
          />
        </RuleField>
        {duration('maxUnusedSeconds')}
        <AmountField
          rule="maxTokensPerUser"
          value={draft.maxTokensPerUser}
          onChange={(maxTokensPerUser) => onChange({ maxTokensPerUser })}
          error={errorOf('maxTokensPerUser')}
        />
        <DurationField
          rule="defaultGraceSeconds"
          value={draft.defaultGraceSeconds}
          onChange={(defaultGraceSeconds) => onChange({ defaultGraceSeconds })}
          error={errorOf('defaultGraceSeconds')}
          hasSwitch={false}
        />
        <RuleField rule="allowedCidrs" error={errorOf('allowedCidrs')}>
          <Textarea
            label={t('rules.allowedCidrs.label')}
            description={t('rules.allowedCidrs.help')}
            value={draft.allowedCidrs}
            onChange={(event) => onChange({ allowedCidrs: event.currentTarget.value })}
            error={errorOf('allowedCidrs') !== undefined}
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
            autoComplete="off"
            classNames={{ input: 'mono' }}
          />
        </RuleField>
        <RuleField rule="requireCidrs" error={errorOf('requireCidrs')}>
          <Switch
            label={t('rules.requireCidrs.label')}
            checked={draft.requireCidrs}
            onChange={(event) => onChange({ requireCidrs: event.currentTarget.checked })}
          />
        </RuleField>
        <Choice
          rule="onReuse"
          choices={['alert', 'revoke']}
          value={draft.onReuse}
          onChange={(onReuse) => onChange({ onReuse })}
        />
        <Choice
          rule="onLeak"
          choices={['notify', 'revoke']}
          value={draft.onLeak}
          onChange={(onLeak) => onChange({ onLeak })}
        />
      </SimpleGrid>
    </Fieldset>
  );
}

function Choice<Value extends string>({
  rule,
  choices,
  value,
  onChange,
}: {
  rule: 'onReuse' | 'onLeak';
  choices: Value[];
  value: Value;
  onChange: (value: Value) => void;
}) {
  const { t } = useTranslation('policy');
  return (
    <RuleField rule={rule}>
      <Radio.Group
        value={value}
        onChange={(chosen) => onChange(chosen as Value)}
        aria-label={t(`rules.${rule}.name`)}
      >
        <Stack gap="xs">
          {choices.map((choice) => (
            <Radio key={choice} value={choice} label={t(`rules.${rule}.${choice}`)} />
          ))}
        </Stack>
      </Radio.Group>
    </RuleField>
  );
}
