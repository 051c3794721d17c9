import { Alert, List } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { inWords } from './durations';
import type { Policy, Rule } from './policy-queries';

/** What a rule of a policy says, in a sentence. */
export function useRuleWords(): (policy: Policy, rule: Rule) => string {
  const { t, i18n } = useTranslation('policy');
  return (policy, rule) => {
    const value = policy[rule];
    if (rule === 'allowNonExpiring' && policy.maxLifetimeSeconds !== null) return t('words.mustExpire');
    if (rule === 'allowedCidrs') {
      const blocks = new Intl.ListFormat(i18n.language).format(policy.allowedCidrs);
      return blocks ? t('words.allowedCidrs', { blocks }) : t('words.anywhere');
    }
    if (value === null || value === 0) return t(`words.${rule}None`);
    if (rule === 'maxTokensPerUser') return t('words.maxTokensPerUser', { count: Number(value) });
    if (typeof value === 'number') return t(`words.${rule}`, { time: inWords(value, i18n.language) });
    if (rule === 'onReuse' || rule === 'onLeak') return t(`words.${rule}.${String(value)}`);
    return t(value ? `words.${rule}` : `words.${rule}Not`);
  };
}

/** What the policy now is: each sentence that says something, as one text. */
export function PolicyWords({ policy, organization }: { policy: Policy; organization: string }) {
  const { t } = useTranslation('policy');
  const wordsOf = useRuleWords();
  const lives: Rule[] = ['maxLifetimeSeconds'];
  if (policy.defaultLifetimeSeconds !== null) lives.push('defaultLifetimeSeconds');
  // That a token must expire follows from a longest lifetime.
  if (policy.maxLifetimeSeconds === null) lives.push('allowNonExpiring');
  const places: Rule[] = policy.requireCidrs ? ['allowedCidrs', 'requireCidrs'] : ['allowedCidrs'];
  const lines: Rule[][] = [
    lives,
    ['maxUnusedSeconds', 'maxTokensPerUser'],
    places,
    ['defaultGraceSeconds', 'onReuse', 'onLeak'],
  ];
  return (
    <Alert
      color="indigo"
      variant="default"
      icon={<IconShieldCheck aria-hidden />}
      title={t('now', { organization })}
      role="region"
      aria-label={t('now', { organization })}
      mb="md"
    >
      <List size="sm" spacing={4}>
        {lines.map((rules) => (
          <List.Item key={rules[0]}>
            {rules
              .map((rule) => wordsOf(policy, rule))
              .reduce((first, next) => t('sentences', { first, next }))}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
