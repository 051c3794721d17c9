import { Alert, Button, Group, Input, Pill, ScrollArea, Stack, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Dialect } from '../dialects/dialect-list';
import { useScopeWords } from '../dialects/dialect-words';
import { quickChoices } from '../dialects/scope-groups';
import { OtherScope } from './other-scope';
import { ScopeList } from './scope-list';

const MANY = 12;
const MAX_SCOPES = 500;

/** What a token may do: chosen from what the caller may grant. */
export function ScopeField({
  dialect,
  dialects,
  chosen,
  onChange,
  error,
}: {
  dialect: Dialect;
  dialects: Dialect[];
  chosen: string[];
  onChange: (scopes: string[]) => void;
  error: string | undefined;
}) {
  const { t } = useTranslation('my-tokens');
  const [sought, setSought] = useState('');
  const { grantable } = dialect;
  const isOpen = dialect.scopePattern !== null || dialect.name === 'patois';
  const toggle = (scope: string): void =>
    onChange(chosen.includes(scope) ? chosen.filter((one) => one !== scope) : [...chosen, scope]);
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Text size="sm">{t('scopes.quick')}</Text>
        {quickChoices(dialect).map(([quick, scopes]) => (
          <Button key={quick} size="xs" variant="default" onClick={() => onChange(scopes)}>
            {t(`scopes.${quick}`)}
          </Button>
        ))}
        <Button size="xs" variant="default" disabled={chosen.length === 0} onClick={() => onChange([])}>
          {t('scopes.none')}
        </Button>
      </Group>
      <Chosen chosen={chosen} onRemove={toggle} />
      {chosen.includes('*') && <Alert color="yellow">{t('scopes.everything')}</Alert>}
      {chosen.length > MAX_SCOPES && <Input.Error>{t('scopes.tooMany', { count: MAX_SCOPES })}</Input.Error>}
      {error && <Input.Error role="alert">{error}</Input.Error>}
      {grantable.length > MANY && (
        <TextInput
          aria-label={t('scopes.search')}
          placeholder={t('scopes.search')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
          type="search"
        />
      )}
      <ScrollArea.Autosize
        mah={420}
        type="auto"
        viewportProps={{ tabIndex: 0, role: 'group', 'aria-label': t('scopes.title') }}
      >
        <ScopeList
          dialect={dialect.name}
          scopes={grantable}
          sought={sought}
          chosen={chosen}
          onToggle={toggle}
        />
      </ScrollArea.Autosize>
      {isOpen && <OtherScope dialect={dialect} dialects={dialects} chosen={chosen} onAdd={toggle} />}
    </Stack>
  );
}

/** What is chosen, each with a way to take it back. */
function Chosen({ chosen, onRemove }: { chosen: string[]; onRemove: (scope: string) => void }) {
  const { t } = useTranslation('my-tokens');
  const { words } = useScopeWords();
  return (
    <div>
      <Text size="sm" fw={500} role="status">
        {t('scopes.chosen', { count: chosen.length })}
      </Text>
      <Pill.Group>
        {chosen.slice(0, MANY).map((scope) => (
          <Pill
            key={scope}
            withRemoveButton
            onRemove={() => onRemove(scope)}
            removeButtonProps={{
              'aria-label': t('scopes.remove', { scope: words(scope) }),
              'aria-hidden': false,
              tabIndex: 0,
            }}
          >
            {words(scope)}
          </Pill>
        ))}
        {chosen.length > MANY && <Text size="sm">{t('scopes.more', { count: chosen.length - MANY })}</Text>}
      </Pill.Group>
    </div>
  );
}
