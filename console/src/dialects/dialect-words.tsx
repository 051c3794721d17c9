import { Badge } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { nounOf, type ScopeMessages, scopeWords } from './scope-words';

/** What people call a dialect. */
export function useDialectTitle(): (dialect: string) => string {
  const { t } = useTranslation('dialects');
  return (dialect) => t(`titles.${dialect}`, { defaultValue: dialect });
}

/** A dialect, beside what is of it. */
export function DialectBadge({ dialect }: { dialect: string }) {
  const title = useDialectTitle();
  return (
    <Badge component="span" variant="default" tt="none" fw={600}>
      {title(dialect)}
    </Badge>
  );
}

/** The words of scopes in the language that is shown. */
export function useScopeWords(): { words: (scope: string) => string; noun: (resource: string) => string } {
  const { i18n } = useTranslation('dialects');
  const messages = i18n.getResource(i18n.language, 'dialects', 'scopes') as ScopeMessages;
  return {
    words: (scope) => scopeWords(scope, messages),
    noun: (resource) => nounOf(resource, messages),
  };
}
