import { Button, Group, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Dialect } from '../dialects/dialect-list';

/** A scope that is in no list: of the open set of its dialect or, for Patois, of any dialect. */
export function OtherScope({
  dialect,
  dialects,
  chosen,
  onAdd,
}: {
  dialect: Dialect;
  dialects: Dialect[];
  chosen: string[];
  onAdd: (scope: string) => void;
}) {
  const { t } = useTranslation('my-tokens');
  const [text, setText] = useState('');
  const scope = text.trim();
  const known = dialect.name === 'patois' ? dialects : [dialect];
  const isKnown = known.some(
    ({ scopes, suggestions, scopePattern }) =>
      scopes.includes(scope) ||
      suggestions.includes(scope) ||
      (scopePattern !== null && new RegExp(scopePattern).test(scope)),
  );
  const add = (): void => {
    if (!isKnown || chosen.includes(scope)) return;
    onAdd(scope);
    setText('');
  };
  const kind = dialect.name === 'patois' ? 'ofAny' : 'ofForm';
  return (
    <Group align="flex-start" gap="xs" wrap="nowrap">
      <TextInput
        flex={1}
        label={t('scopes.other')}
        description={t(`scopes.${kind}`)}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          // Not the form.
          event.preventDefault();
          add();
        }}
        error={scope !== '' && !isKnown ? t(`scopes.${kind}Wrong`) : undefined}
        rightSectionWidth={90}
        rightSection={
          <Button size="compact-sm" variant="default" disabled={!isKnown} onClick={add}>
            {t('scopes.add')}
          </Button>
        }
        classNames={{ input: 'mono' }}
        autoComplete="off"
        spellCheck={false}
      />
    </Group>
  );
}
