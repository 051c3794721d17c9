import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { CreateUser, ListUsersQuery, UpdateUser, User, UserPage } from './users.dto.js';
import { UserAdministrationService } from './users.service.js';

const READ = 'patois:users.read';
const WRITE = 'patois:users.write';

const USER = { name: 'user', description: 'A uuid or login.', example: 'ada' };

/** Users, for administrators and, within their organization, organization administrators. */
@ApiTags('accounts')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/users')
@UsePipes(validationPipe('refused'))
export class UsersController {
  constructor(private readonly users: UserAdministrationService) {}

  @Post()
  @HttpCode(201)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'createUser',
    summary: 'Creates a user',
    description:
      'In the organization of the caller, or, for administrators of everything, in `Default`, unless `organization` is given. The login must be unique, case-insensitively.',
  })
  @ApiRefusals(Problem, { 409: 'The login is taken' })
  async create(@Caller() caller: Principal, @Body() body: CreateUser): Promise<User> {
    return new User(await this.users.create(caller, body));
  }

  @Get()
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'listUsers',
    summary: 'Lists users, newest first',
    description: 'Paginated. Lists the users that are visible to the caller.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListUsersQuery): Promise<UserPage> {
    const { rows, nextCursor } = await this.users.list(caller, query);
    return new UserPage(rows, nextCursor);
  }

  @Get(':user')
  @ApiParam(USER)
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'getUser',
    summary: 'Gets a user by uuid or login',
    description: 'Any user that is visible to the caller.',
  })
  @ApiRefusals(Problem, { 404: 'The user does not exist or is not visible to the caller' })
  async get(@Caller() caller: Principal, @Param('user') user: string): Promise<User> {
    return new User(await this.users.get(caller, user));
  }

  @Patch(':user')
  @ApiParam(USER)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'updateUser',
    summary: 'Updates a user; omitted keys keep their values',
    description:
      'A new password replaces the old one at once. The password and the tokens of a disabled user do not work.',
  })
  @ApiRefusals(Problem, { 404: 'The user does not exist or is not visible to the caller' })
  @ApiRefusals(Problem, { 409: 'The user is the last active administrator' })
  async update(
    @Caller() caller: Principal,
    @Param('user') user: string,
    @Body() body: UpdateUser,
  ): Promise<User> {
    return new User(await this.users.update(caller, user, body));
  }

  @Delete(':user')
  @ApiParam(USER)
  @HttpCode(204)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'deleteUser',
    summary: "Deletes a user and revokes the user's tokens",
    description:
      'The login can be used again afterwards; audit events and tokens still refer to the user by uuid.',
  })
  @ApiRefusals(Problem, { 404: 'The user does not exist or is not visible to the caller' })
  @ApiRefusals(Problem, { 409: 'The user is the last active administrator' })
  async delete(@Caller() caller: Principal, @Param('user') user: string): Promise<void> {
    await this.users.delete(caller, user);
  }
}
