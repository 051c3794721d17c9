import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { User } from '../../accounts/user.entity.js';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { TokenService } from '../../tokens/token.service.js';
import { Directory } from './directory.js';
import { ForemanHeaders } from './foreman-headers.interceptor.js';
import { FOREMAN } from './foreman.dialect.js';
import {
  CreatedPersonalAccessToken,
  CreatePersonalAccessToken,
  ForemanContextNotFound,
  ForemanError,
  ForemanInvalidRecord,
  ForemanMalformedBody,
  ListQuery,
  PersonalAccessToken,
  PersonalAccessTokenList,
  RevokedPersonalAccessToken,
} from './foreman.dto.js';
import { InvalidRecord, ResourceNotFound } from './foreman.refusals.js';
import { scopeOf } from './foreman.scopes.js';
import { frameOf, list, readListing } from './listing.js';
import { type NewToken, readNewToken } from './new-token.js';
import { merged, type Parameters, RailsQuery, recordFields } from './parameters.js';
import { grantableScopes, may } from './permissions.js';
import { SHOWN_COLUMNS, tokenFields, tokenOf } from './token-records.js';

// Which action needs which:
// https://github.com/theforeman/foreman/blob/develop/config/initializers/f_foreman_permissions.rb
const VIEW = 'view_personal_access_tokens';
const CREATE = 'create_personal_access_tokens';
const REVOKE = 'revoke_personal_access_tokens';
const RECORD = 'personal_access_token';

const USER_ID = {
  name: 'user_id',
  type: String,
  description: 'ID of the user: the number, the number and `-anything`, or the login.',
  example: '5',
};
const ID = { name: 'id', type: String, description: 'The number of the token.', example: '50' };

const ID_OR_NAME = { oneOf: [{ type: 'integer' }, { type: 'string' }], example: 'Default' };
const LOCATION = {
  name: 'location_id',
  required: false,
  description: 'Scope by locations',
  schema: ID_OR_NAME,
};
const ORGANIZATION = {
  name: 'organization_id',
  required: false,
  description: 'Scope by organizations',
  schema: ID_OR_NAME,
};

/**
 * A user's personal access tokens; one's own need no permission.
 * https://github.com/theforeman/foreman/blob/HEAD/app/controllers/api/v2/personal_access_tokens_controller.rb
 *
 * Key order of the answers: `created_at` and `updated_at` come first, because rabl writes a template's own
 * attributes before those that it extends; `active?` and `revoked?` are Ruby methods, question mark included:
 * https://github.com/theforeman/foreman/tree/develop/app/views/api/v2/personal_access_tokens
 * https://github.com/nesquena/rabl/blob/master/lib/rabl/builder.rb
 */
@ApiTags('personal_access_tokens')
@ApiParam(USER_ID)
@ApiQuery(ORGANIZATION)
@ApiQuery(LOCATION)
@ApiRefusals(ForemanError, {
  401: 'missing or wrong credentials',
  403: 'missing permission, or an address that the token does not allow',
})
@ApiRefusals(ForemanError, { 422: 'no such user, or the user is not in the given organization or location' })
@Controller('api/users/:user_id/personal_access_tokens')
@UseInterceptors(ForemanHeaders)
export class PersonalAccessTokensController {
  constructor(
    private readonly tokens: TokenService,
    private readonly directory: Directory,
  ) {}

  @Get()
  @RequireScopes(FOREMAN, scopeOf(VIEW))
  @ApiOperation({
    operationId: 'listPersonalAccessTokens',
    summary: 'List all Personal Access Tokens for a user',
    description:
      'Paginated, with search and sort; includes revoked and expired tokens. Users need no permission for their own tokens.',
  })
  @ApiRefusals(ForemanError, { 400: 'an invalid search, order or page' })
  @ApiRefusals([ForemanContextNotFound, ForemanError], {
    404: 'no such organization or location, or an unreadable path',
  })
  async index(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Query(RailsQuery) query: ListQuery,
  ): Promise<PersonalAccessTokenList> {
    const { owner, isOwn } = await this.directory.target(caller, userId, query, VIEW);
    const listing = readListing(query);
    const all = this.tokens.query({ dialect: FOREMAN, ownerId: owner.id }).select(SHOWN_COLUMNS);
    // The tokens are a scope of users whom the caller may view (`parent_scope`, api/base_controller.rb):
    // without `view_users` the list is empty, and show answers 404.
    if (!isOwn && !may(caller, 'view_users')) all.andWhere('FALSE');
    const listed = await list(all, listing, tokenFields(owner));
    // `index_node_permissions` in app/controllers/api/v2/base_controller.rb; that revoking counts as editing
    // was decided here.
    const permissions = { canCreate: isOwn || may(caller, CREATE), canEdit: isOwn || mayRevoke(caller) };
    const results = listed.rows.map((token) => new PersonalAccessToken(token, owner));
    return new PersonalAccessTokenList(frameOf(listing, listed, permissions), results);
  }

  @Post()
  @HttpCode(201) // `process_success`: 201 for every POST.
  @Idempotent()
  @RequireScopes(FOREMAN, scopeOf(CREATE))
  @ApiOperation({
    operationId: 'createPersonalAccessToken',
    summary: 'Create a Personal Access Token for a user',
    description:
      'The value is returned only once, in this response. The name must be unique among the tokens of the user.',
  })
  @ApiBody({ type: CreatePersonalAccessToken })
  @ApiRefusals([ForemanMalformedBody, ForemanError], { 400: 'an unreadable body or parameter' })
  @ApiRefusals([ForemanContextNotFound, ForemanError], {
    404: 'no such organization or location, or an unreadable path',
  })
  @ApiRefusals(ForemanError, { 415: 'a content type other than JSON' })
  @ApiRefusals([ForemanInvalidRecord, ForemanError], {
    422: 'an invalid record, no such user, or the user is not in the given organization or location',
  })
  async create(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Query(RailsQuery) query: Parameters,
    @Body() body: unknown,
  ): Promise<CreatedPersonalAccessToken> {
    const parameters = merged(query, body);
    const named = await this.directory.named(caller, userId, parameters, CREATE);
    const asked = readNewToken(recordFields(RECORD, query, body));
    if (asked.problems.length > 0) {
      const { owner } = await this.directory.target(caller, userId, parameters, CREATE);
      return this.refuse(asked, owner);
    }
    const { name, expiresAt } = asked;
    const scopes = grantableScopes(caller);
    const owner = named.reference;
    const spec = { dialect: FOREMAN, owner, name, uniqueName: name, scopes, expiresAt };
    const { token, value } = await this.tokens.issue(spec, caller, { assertVisible: named.assertVisible });
    // `token_value` comes first: create.json.rabl.
    return new CreatedPersonalAccessToken(token, token.owner, value);
  }

  @Get(':id')
  @RequireScopes(FOREMAN, scopeOf(VIEW))
  @ApiOperation({
    operationId: 'showPersonalAccessToken',
    summary: 'Show a Personal Access Token for a user',
    description: 'Also for revoked and expired tokens.',
  })
  @ApiParam(ID)
  @ApiRefusals([ForemanError, ForemanContextNotFound], {
    404: 'no such token of that user, or no such organization or location',
  })
  async show(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Param('id') id: string,
    @Query(RailsQuery) query: Parameters,
  ): Promise<PersonalAccessToken> {
    const named = await this.directory.named(caller, userId, query, VIEW);
    const { owner, token } = await this.tokens.findOf(named.reference, tokenOf(id));
    named.assertVisible(owner);
    const isVisible = named.isOwn || may(caller, 'view_users');
    if (!token || !isVisible) throw new ResourceNotFound(RECORD, id);
    return new PersonalAccessToken(token, token.owner);
  }

  @Delete(':id')
  @RequireScopes(FOREMAN, scopeOf(REVOKE))
  @ApiOperation({
    operationId: 'revokePersonalAccessToken',
    summary: 'Revoke a Personal Access Token for a user',
    description: 'Revokes the token permanently and returns its record. Revoking it again changes nothing.',
  })
  @ApiParam(ID)
  @ApiRefusals([ForemanError, ForemanContextNotFound], {
    404: 'no such token of that user, or no such organization or location',
  })
  async destroy(
    @Caller() caller: Principal,
    @Param('user_id') userId: string,
    @Param('id') id: string,
    @Query(RailsQuery) query: Parameters,
  ): Promise<RevokedPersonalAccessToken> {
    const named = await this.directory.named(caller, userId, query, REVOKE);
    const token = await this.tokens.revoke(tokenOf(id), caller, {
      owner: named.reference,
      assertVisible: ({ owner, token: found }) => {
        named.assertVisible(owner);
        // Without `edit_users` 404, not 403: `parent_permission` makes `revoke` an `edit` of the user.
        const isVisible = named.isOwn || mayRevoke(caller);
        if (!found || !isVisible) throw new ResourceNotFound(RECORD, id);
      },
    });
    // 200 with the record (`ApiResponder#api_behavior`), and without a template: so times are ISO 8601, there
    // is no `active?`, and `revoked`, which was written last, comes first (`LazyAttributeSet`). That the
    // digest is left out was decided here.
    // https://github.com/theforeman/foreman/blob/develop/app/controllers/api/api_responder.rb
    // https://github.com/rails/rails/blob/main/activemodel/lib/active_model/attribute_set/builder.rb
    return new RevokedPersonalAccessToken(token, token.owner);
  }

  /**
   * Whether a name is free is decided by the index when the token is stored. An answer that refuses something
   * else names a taken name as well, as Foreman does with all validations of a record.
   *
   * @throws {InvalidRecord} with all that is wrong.
   */
  private async refuse({ name, problems }: NewToken, owner: User): Promise<never> {
    const isNameGood = !problems.some(({ field }) => field === 'name');
    if (isNameGood && (await this.tokens.find({ ownerId: owner.id, uniqueName: name })))
      problems.unshift({ field: 'name', message: 'has already been taken' });
    throw new InvalidRecord(problems);
  }
}

function mayRevoke(caller: Principal): boolean {
  return may(caller, REVOKE) && may(caller, 'edit_users');
}
