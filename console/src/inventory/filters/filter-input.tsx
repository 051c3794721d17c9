import { Autocomplete, Radio, Select, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answerOf, client } from '../../api/client';
import { administersAll, useMe } from '../../api/me';
import { allPlaces } from '../../api/places';
import { DIALECTS, inOrder } from '../../dialects/dialect-list';
import { useDialectTitle } from '../../dialects/dialect-words';
import { STATUSES, TOKEN_FILTERS, type TokenFilterName } from '../token-filters';
import { MomentInput } from './moment-input';

const SUGGESTIONS = 20;
const PAUSE_MS = 200;

interface FilterInputProps {
  name: TokenFilterName;
  value: string;
  onValue: (value: string) => void;
}

/** The input that fits a filter. */
export function FilterInput(props: FilterInputProps) {
  const { name, value, onValue } = props;
  const { t } = useTranslation('inventory');
  const label = t(`filters.names.${name}`);
  const about = t(`filters.about.${name}`);
  switch (TOKEN_FILTERS[name]) {
    case 'flag':
      return <FlagInput {...props} />;
    case 'moment':
      return <MomentInput {...props} />;
    case 'person':
      return <PersonInput {...props} />;
    case 'organization':
      return <OrganizationInput {...props} />;
    case 'dialect':
      return <DialectInput {...props} />;
    case 'status':
      return (
        <Select
          label={label}
          description={about}
          data={STATUSES.map((status) => ({ value: status, label: t(`shell:statuses.${status}`) }))}
          value={value || null}
          onChange={(next) => onValue(next ?? '')}
          data-autofocus
        />
      );
    default:
      return (
        <TextInput
          label={label}
          description={about}
          value={value}
          onChange={(event) => onValue(event.currentTarget.value)}
          autoComplete="off"
          maxLength={255}
          data-autofocus
        />
      );
  }
}

function FlagInput({ name, value, onValue }: FilterInputProps) {
  const { t } = useTranslation('inventory');
  return (
    <Radio.Group
      label={t(`filters.names.${name}`)}
      description={t(`filters.about.${name}`)}
      value={value}
      onChange={onValue}
    >
      <Stack gap="xs" mt="xs">
        {(['true', 'false'] as const).map((one, index) => (
          <Radio
            key={one}
            value={one}
            label={t(`filters.flags.${name}.${one}`)}
            {...(index === 0 && { 'data-autofocus': true })}
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}

/** Proposes people whose login, name or email has the text in it. */
function PersonInput({ name, value, onValue }: FilterInputProps) {
  const { t } = useTranslation('inventory');
  const [q] = useDebouncedValue(value.trim(), PAUSE_MS);
  const { data } = useQuery({
    queryKey: ['users', 'suggestions', q],
    queryFn: ({ signal }) => {
      const query = { limit: SUGGESTIONS, ...(q !== '' && { q }) };
      return answerOf(client.GET('/patois/v1/users', { params: { query }, signal }));
    },
    placeholderData: keepPreviousData,
  });
  return (
    <Autocomplete
      label={t(`filters.names.${name}`)}
      description={t(`filters.about.${name}`)}
      value={value}
      onChange={onValue}
      data={data?.items.map(({ login }) => login) ?? []}
      filter={({ options }) => options}
      maxLength={100}
      data-autofocus
    />
  );
}

function OrganizationInput({ name, value, onValue }: FilterInputProps) {
  const { t } = useTranslation('inventory');
  const me = useMe();
  const { data } = useQuery({ ...allPlaces('organizations'), enabled: administersAll(me) });
  return (
    <Autocomplete
      label={t(`filters.names.${name}`)}
      description={t(`filters.about.${name}`)}
      value={value}
      onChange={onValue}
      data={data?.map((place) => place.name) ?? [me.user.organization.name]}
      limit={100}
      maxLength={100}
      data-autofocus
    />
  );
}

function DialectInput({ name, value, onValue }: FilterInputProps) {
  const { t } = useTranslation('inventory');
  const { data = [] } = useQuery(DIALECTS);
  const titleOf = useDialectTitle();
  return (
    <Select
      label={t(`filters.names.${name}`)}
      description={t(`filters.about.${name}`)}
      data={inOrder(data).map((dialect) => ({ value: dialect.name, label: titleOf(dialect.name) }))}
      value={value || null}
      onChange={(next) => onValue(next ?? '')}
      data-autofocus
    />
  );
}
