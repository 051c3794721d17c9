import { Badge, Button, Group, SimpleGrid, Stack } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { administersAll, useMe } from '../api/me';
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
  const { t } = useTranslation(['person', 'events', 'dialects']);
  const seesTrail = administersAll(useMe());
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
            <Button
              component={Link}
              href={`/people?q=${encodeURIComponent(user.login)}`}
              variant="default"
              leftSection={<IconPencil size={16} aria-hidden />}
            >
              {t('edit')}
            </Button>
            <EndAccess user={user} />
          </>
        }
      />
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
