import { Controller, Get, Param, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Directory, isOneself } from './directory.js';
import { ForemanHeaders } from './foreman-headers.interceptor.js';
import { FOREMAN } from './foreman.dialect.js';
import {
  ForemanContextNotFound,
  ForemanError,
  ForemanUser,
  ForemanUserDetails,
  ForemanUserList,
  ListQuery,
} from './foreman.dto.js';
import { ResourceNotFound, UserNotFound } from './foreman.refusals.js';
import { scopeOf } from './foreman.scopes.js';
import { frameOf, list, readListing } from './listing.js';
import { type Parameters, RailsQuery } from './parameters.js';
import { assertMay, may } from './permissions.js';
import { SearchFields } from './search/fields.js';

const VIEW = 'view_users';

/**
 * Three of the `scoped_search` lines of
 * https://github.com/theforeman/foreman/blob/develop/app/models/user.rb
 *
 * Names are compared by bytes, whatever the collation of the database (decided here), and without an order
 * the list is sorted by id, not by first name as there.
 */
const FIELDS = new SearchFields('user.numericId', [
  {
    name: 'login',
    type: 'string',
    sql: 'user.login',
    collated: 'user.login COLLATE "C"',
    isFreeText: true,
  },
  {
    name: 'mail',
    type: 'string',
    sql: 'user.email',
    collated: 'user.email COLLATE "C"',
    isNullable: true,
    isFreeText: true,
  },
  { name: 'id', type: 'integer', sql: 'user.numericId' },
]);

/**
 * Users, as far as clients need them to find the number of a user by login:
 * https://github.com/theforeman/foreman/blob/develop/app/controllers/api/v2/users_controller.rb
 * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/id_resolver.rb
 * The fields are some of
 * https://github.com/theforeman/foreman/blob/develop/app/views/api/v2/users/main.json.rabl
 */
@ApiTags('users')
@ApiRefusals(ForemanError, {
  401: 'missing or wrong credentials',
  403: 'missing permission, or an address that the token does not allow',
})
@Controller('api/users')
@UseInterceptors(ForemanHeaders)
export class UsersController {
  constructor(private readonly directory: Directory) {}

  @Get()
  @RequireScopes(FOREMAN, scopeOf(VIEW))
  @ApiOperation({
    operationId: 'listUsers',
    summary: 'List all users',
    description:
      'For clients that know a login and need the numeric id. Can be searched by `login`, `mail` and `id`.',
  })
  @ApiRefusals(ForemanError, { 400: 'an invalid search, order or page' })
  @ApiRefusals(ForemanContextNotFound, { 404: 'no such organization or location' })
  async index(@Caller() caller: Principal, @Query(RailsQuery) query: ListQuery): Promise<ForemanUserList> {
    assertMay(caller, VIEW);
    const contexts = await this.directory.contexts(caller, query);
    const listing = readListing(query);
    const listed = await list(this.directory.visible(caller, contexts), listing, FIELDS);
    const permissions = { canCreate: may(caller, 'create_users'), canEdit: may(caller, 'edit_users') };
    const results = listed.rows.map((user) => new ForemanUser(user));
    return new ForemanUserList(frameOf(listing, listed, permissions), results);
  }

  @Get(':id')
  @RequireScopes(FOREMAN, scopeOf(VIEW))
  @ApiOperation({
    operationId: 'showUser',
    summary: 'Show a user',
    description: 'By numeric id or login. Users need no permission for themselves.',
  })
  @ApiParam({ name: 'id', type: String, description: 'The number, or the login.', example: 'alice' })
  @ApiRefusals([ForemanError, ForemanContextNotFound], {
    404: 'no such user, or no such organization or location',
  })
  async show(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query(RailsQuery) query: Parameters,
  ): Promise<ForemanUserDetails> {
    // Oneself needs no permission: `editing_self?` in app/models/user.rb.
    if (!isOneself(caller, id)) assertMay(caller, VIEW);
    const contexts = await this.directory.contexts(caller, query);
    const user = await this.directory.find(caller, id, contexts).catch((error: unknown) => {
      // 404 here, 422 below `/users/:user_id/…`: there the user is not the record of the path.
      throw error instanceof UserNotFound ? new ResourceNotFound('user', id) : error;
    });
    // `usergroups` is there because hammer fails without it (`extend_data`):
    // https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/user.rb
    return new ForemanUserDetails(user);
  }
}
