import { Badge, Checkbox, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useScopeWords } from '../dialects/dialect-words';
import { groupScopes, type ScopeGroup } from '../dialects/scope-groups';

/** As many groups as are worth folding. */
const FOLDED_FROM = 8;
/** Of what is found: more is to be sought more closely. */
const MAX_FOUND = 100;

interface Choice {
  chosen: string[];
  onToggle: (scope: string) => void;
}

/** Scopes to choose from, by groups that are rendered once they are opened, or those that are sought. */
export function ScopeList({
  dialect,
  scopes,
  sought,
  ...choice
}: Choice & { dialect: string; scopes: readonly string[]; sought: string }) {
  const { t } = useTranslation('my-tokens');
  const { words } = useScopeWords();
  const text = sought.trim().toLowerCase();
  if (text === '') {
    const groups = groupScopes(dialect, scopes);
    return (
      <Stack gap="xs">
        {groups.map((group, index) => (
          <Group
            key={group.key}
            group={group}
            isFolded={groups.length >= FOLDED_FROM && index > 0}
            {...choice}
          />
        ))}
      </Stack>
    );
  }
  const found = scopes.filter((scope) => `${scope} ${words(scope)}`.toLowerCase().includes(text));
  return (
    <Stack gap="xs">
      <Text size="sm" role="status">
        {t('scopes.found', { count: found.length })}
      </Text>
      <Boxes scopes={found.slice(0, MAX_FOUND)} {...choice} />
      {found.length > MAX_FOUND && <Text size="sm">{t('scopes.seekCloser', { count: MAX_FOUND })}</Text>}
    </Stack>
  );
}

function Group({
  group: { key, isResource, scopes },
  isFolded,
  ...choice
}: Choice & { group: ScopeGroup; isFolded: boolean }) {
  const { t } = useTranslation('dialects');
  const { noun } = useScopeWords();
  const [isOpen, setOpen] = useState(!isFolded);
  if (key === '') return <Boxes scopes={scopes} {...choice} />;
  const count = scopes.filter((scope) => choice.chosen.includes(scope)).length;
  const title = isResource ? noun(key) : t(`groups.${key}`, { defaultValue: key });
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <div>
      <UnstyledButton className="fold" onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
        <Chevron size={16} aria-hidden />
        <Text span fw={600} size="sm" className="first-capital">
          {title}
        </Text>
        {count > 0 && (
          <Badge variant="filled" size="sm">
            {count} / {scopes.length}
          </Badge>
        )}
      </UnstyledButton>
      {isOpen && <Boxes scopes={scopes} {...choice} />}
    </div>
  );
}

function Boxes({ scopes, chosen, onToggle }: Choice & { scopes: readonly string[] }) {
  const { words } = useScopeWords();
  return (
    <Stack gap={6} pl="lg" py={4}>
      {scopes.map((scope) => (
        <Checkbox
          key={scope}
          checked={chosen.includes(scope)}
          onChange={() => onToggle(scope)}
          label={
            <>
              {words(scope)} <span className="mono scope-name">{scope}</span>
            </>
          }
        />
      ))}
    </Stack>
  );
}
