import { Button } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { inParts, NextPart } from '../parts/next-part';
import { PageHeader } from '../parts/page-header';
import { Empty, Loaded } from '../parts/states';
import { PeopleFilters, usePeopleFilter } from './people-filters';
import { people, type Person } from './people-queries';
import { PeopleTable } from './people-table';
import type { PersonAction } from './person-actions';
import { PersonConfirmation } from './person-confirmation';
import { PersonDialog } from './person-dialog';

/** Everybody whom an administrator sees, what they may do and what they hold. */
export function PeoplePage() {
  const { t } = useTranslation(['people', 'dialects']);
  const [filter, changeFilter, clearFilter] = usePeopleFilter();
  const list = useInfiniteQuery(people(filter));
  // What is open stays known while it closes.
  const [open, setOpen] = useState<PersonAction | 'create'>();
  const [person, setPerson] = useState<Person>();
  const close = (): void => setOpen(undefined);
  const choose = (one: Person | undefined, action: PersonAction | 'create'): void => {
    setPerson(one);
    setOpen(action);
  };
  return (
    <>
      <PageHeader
        title={t('title')}
        description={t('description')}
        actions={
          <Button
            leftSection={<IconUserPlus size={18} aria-hidden />}
            onClick={() => choose(undefined, 'create')}
          >
            {t('create.open')}
          </Button>
        }
      />
      <PeopleFilters filter={filter} onChange={changeFilter} />
      <Loaded query={inParts(list)}>
        {({ pages }) =>
          pages[0]?.items.length === 0 ? (
            <Empty
              action={
                <Button variant="default" onClick={clearFilter}>
                  {t('filters.clear')}
                </Button>
              }
            >
              {t('nobody')}
            </Empty>
          ) : (
            <PeopleTable parts={pages.map(({ items }) => items)} onChoose={choose} />
          )
        }
      </Loaded>
      <NextPart list={list} />
      <PersonDialog person={person} isOpen={open === 'create' || open === 'edit'} onClose={close} />
      {(['disable', 'enable', 'delete'] as const).map((action) => (
        <PersonConfirmation
          key={action}
          person={person}
          action={action}
          isOpen={open === action}
          onClose={close}
        />
      ))}
    </>
  );
}
