import { Badge, Button, Group, SimpleGrid, Stack } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useDisclosure } from '@mantine/hooks';
import { useTranslation } from 'react-i18next';
import { useParams } from 'wouter';
import { administersAll, useMe } from '../api/me';
import { PersonDialog } from '../people/person-dialog';
import { mayChange } from '../people/rights';
import { PageHeader } from '../parts/page-header';
import { Loaded } from '../parts/states';
import { EndAccess } from './ending/end-access';
import { PersonActivity } from './person-activity';
import { PersonFacts } from './person-facts';
import { PersonHoldings } from './person-holdings';
import { PersonTokens } from './person-tokens';
import { PERSON, type User } from './queries';

/** Everything about one person, for who administers them. */
export function PersonPage() {
  const { login } = useParams<{ login: string }>();
  const query = useQuery(PERSON(login));
  return <Loaded query={query}>{(user) => <OnePerson key={user.id} user={user} />}</Loaded>;
}

function OnePerson({ user }: { user: User }) {
  // The words of its parts as well: a part that waits for its own would hide the page again.
  const { t } = useTranslation(['person', 'people', 'events', 'dialects']);
  const [isEditing, { open: edit, close }] = useDisclosure();
  const me = useMe();
  const seesTrail = administersAll(me);
  return (
    <>
      <PageHeader
        title={user.name ?? user.login}
        description={
          <Group component="span" gap="xs">
            <span className="mono">{user.login}</span>
            <span>
              {user.organization.name} · {t(`shell:roles.${user.role}`)}
            </span>
            {user.disabled && (
              <Badge component="span" variant="default" tt="none">
                {t('disabled')}
              </Badge>
            )}
          </Group>
        }
        actions={
          <>
            {mayChange(me, user) && (
              <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} onClick={edit}>
                {t('edit')}
              </Button>
            )}
            <EndAccess user={user} />
          </>
        }
      />
      <PersonDialog person={user} isOpen={isEditing} onClose={close} />
      <Stack>
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          <PersonFacts user={user} />
          <PersonHoldings user={user} />
        </SimpleGrid>
        <PersonTokens user={user} />
        {seesTrail && <PersonActivity user={user} />}
      </Stack>
    </>
  );
}
