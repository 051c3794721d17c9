import { Alert, Button, Group, Stack, Table, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { differences } from './policy-draft';
import type { Policy } from './policy-queries';
import { useRuleWords } from './policy-words';

/**
 * Somebody else changed the policy while it was edited here: what they changed and what is typed here, rule by rule, and
 * the choice what to do about it. Nothing is lost until that is made.
 */
export function PolicyConflict({
  base,
  mine,
  theirs,
  onMerge,
  onOverwrite,
  onDiscard,
}: {
  /** As it was when the form was filled. */
  base: Policy;
  /** As the form has it; undefined while that is no policy. */
  mine: Policy | undefined;
  theirs: Policy;
  onMerge: () => void;
  onOverwrite: () => void;
  onDiscard: () => void;
}) {
  const { t } = useTranslation('policy');
  const wordsOf = useRuleWords();
  const changed = differences(base, theirs);
  return (
    <Alert
      color="yellow"
      variant="default"
      icon={<IconUsers aria-hidden />}
      title={t('conflict.title')}
      role="alert"
      mb="md"
    >
      <Stack gap="sm">
        <Text size="sm">{t('conflict.what')}</Text>
        <Table.ScrollContainer minWidth={480}>
          <Table aria-label={t('conflict.title')} withRowBorders={false}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('effects.rule')}</Table.Th>
                <Table.Th>{t('conflict.before')}</Table.Th>
                <Table.Th>{t('conflict.theirs')}</Table.Th>
                <Table.Th>{t('conflict.mine')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changed.map((rule) => (
                <Table.Tr key={rule}>
                  <Table.Th scope="row">{t(`rules.${rule}.name`)}</Table.Th>
                  <Table.Td>{wordsOf(base, rule)}</Table.Td>
                  <Table.Td>{wordsOf(theirs, rule)}</Table.Td>
                  <Table.Td>
                    {mine && String(mine[rule]) !== String(base[rule])
                      ? wordsOf(mine, rule)
                      : t('conflict.notChanged')}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        <Group gap="sm">
          <Button onClick={onMerge}>{t('conflict.merge')}</Button>
          <Button variant="default" onClick={onOverwrite}>
            {t('conflict.overwrite')}
          </Button>
          <Button variant="default" onClick={onDiscard}>
            {t('conflict.discard')}
          </Button>
        </Group>
        <Text size="sm">{t('conflict.then')}</Text>
      </Stack>
    </Alert>
  );
}
