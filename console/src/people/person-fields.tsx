import { Checkbox, Fieldset, MultiSelect, Radio, Select, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { administersAll, useMe } from '../api/me';
import { allPlaces } from '../api/places';
import type { PersonDraft } from './person-draft';
import { type Permission, PERMISSIONS, permissionsToGive, rolesToGive } from './rights';

interface FieldProps {
  draft: PersonDraft;
  onChange: (changes: Partial<PersonDraft>) => void;
  /** What is wrong with a field, by its name in the body. */
  errorOf: (field: string) => string | undefined;
}

/** Who it is: the login of a new person, the name and the e-mail address. */
export function IdentityFields({ draft, onChange, errorOf, isNew }: FieldProps & { isNew: boolean }) {
  const { t } = useTranslation('people');
  return (
    <>
      {isNew && (
        <TextInput
          label={t('fields.login')}
          description={t('fields.loginHelp')}
          value={draft.login}
          onChange={(event) => onChange({ login: event.currentTarget.value })}
          error={errorOf('login')}
          required
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
        />
      )}
      <TextInput
        label={t('fields.name')}
        value={draft.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        error={errorOf('name')}
        autoComplete="off"
        data-autofocus={!isNew || undefined}
      />
      <TextInput
        label={t('fields.email')}
        description={t('fields.emailHelp')}
        value={draft.email}
        onChange={(event) => onChange({ email: event.currentTarget.value })}
        error={errorOf('email')}
        inputMode="email"
        autoComplete="off"
        spellCheck={false}
      />
    </>
  );
}

/** Where somebody belongs. To who administers one organization no other is offered. */
export function PlaceFields({
  draft,
  onChange,
  errorOf,
  mayMove,
  isNew,
}: FieldProps & { mayMove: boolean; isNew: boolean }) {
  const { t } = useTranslation('people');
  const organizations = useQuery({ ...allPlaces('organizations'), enabled: mayMove });
  const locations = useQuery(allPlaces('locations'));
  const choices = (places: { id: string; name: string }[] | undefined) =>
    places?.map(({ id, name }) => ({ value: id, label: name })) ?? [];
  return (
    <>
      {mayMove && (
        <Select
          label={t('fields.organization')}
          description={isNew ? undefined : t('fields.organizationHelp')}
          data={choices(organizations.data)}
          value={draft.organization}
          onChange={(organization) => organization !== null && onChange({ organization })}
          error={organizations.error ? t('fields.placesFailed') : errorOf('organization')}
          searchable
          allowDeselect={false}
          nothingFoundMessage={t('fields.noPlace')}
        />
      )}
      {(locations.error !== null || choices(locations.data).length > 0) && (
        <MultiSelect
          label={t('fields.locations')}
          description={t('fields.locationsHelp')}
          data={choices(locations.data)}
          value={draft.locations}
          onChange={(chosen) => onChange({ locations: chosen })}
          error={locations.error ? t('fields.placesFailed') : errorOf('locations')}
          searchable
          nothingFoundMessage={t('fields.noPlace')}
        />
      )}
    </>
  );
}

/** What somebody may do, each in words. Offered is what whoever fills the form in may give. */
export function RightsFields({ draft, onChange, errorOf, had }: FieldProps & { had: Permission[] }) {
  const { t } = useTranslation('people');
  const me = useMe();
  const offered = permissionsToGive(me);
  const shown = PERMISSIONS.filter((one) => offered.includes(one) || had.includes(one));
  return (
    <>
      <Radio.Group
        label={t('fields.role')}
        value={draft.role}
        onChange={(role) => onChange({ role: role as PersonDraft['role'] })}
        error={errorOf('role')}
      >
        <Stack gap="xs" mt="xs">
          {rolesToGive(me).map((role) => (
            <Radio
              key={role}
              value={role}
              label={t(`shell:roles.${role}`)}
              description={t(`roles.${role}`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {shown.length > 0 && (
        <Fieldset legend={t('fields.permissions')}>
          <Checkbox.Group
            description={t(administersAll(me) ? 'fields.permissionsHelp' : 'fields.permissionsHelpOwn')}
            value={draft.permissions}
            onChange={(permissions) => onChange({ permissions: permissions as Permission[] })}
            error={errorOf('permissions')}
            aria-label={t('fields.permissions')}
          >
            <Stack gap="xs" mt="sm">
              {shown.map((permission) => (
                <Checkbox
                  key={permission}
                  value={permission}
                  label={t(`permissions.${permission}`)}
                  description={<span className="mono">{permission}</span>}
                />
              ))}
            </Stack>
          </Checkbox.Group>
        </Fieldset>
      )}
    </>
  );
}
