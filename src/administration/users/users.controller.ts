import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
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
    summary: 'Makes a user',
    description:
      'In the own organization unless told otherwise. The login must be new, without regard to case.',
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
    description: 'Those that the caller may see, page by page.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListUsersQuery): Promise<UserPage> {
    const { rows, nextCursor } = await this.users.list(caller, query);
    return new UserPage(rows, nextCursor);
  }

  @Get(':user')
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'getUser',
    summary: 'Gets a user by uuid or login',
    description: 'One that the caller may see.',
  })
  @ApiRefusals(Problem, { 404: 'No such user that this caller may see' })
  async get(@Caller() caller: Principal, @Param('user') user: string): Promise<User> {
    return new User(await this.users.get(caller, user));
  }

  @Patch(':user')
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'updateUser',
    summary: 'Changes a user; keys left out stay as they are',
    description:
      'A new password ends the old one at once; a disabled user can do nothing, by password or by token.',
  })
  @ApiRefusals(Problem, { 404: 'No such user that this caller may see' })
  @ApiRefusals(Problem, { 409: 'No administrator would be left' })
  async update(
    @Caller() caller: Principal,
    @Param('user') user: string,
    @Body() body: UpdateUser,
  ): Promise<User> {
    return new User(await this.users.update(caller, user, body));
  }

  @Delete(':user')
  @HttpCode(204)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'deleteUser',
    summary: "Deletes a user and revokes the user's tokens",
    description: 'The login is free from then on; audit events and tokens go on naming the user by uuid.',
  })
  @ApiRefusals(Problem, { 404: 'No such user that this caller may see' })
  @ApiRefusals(Problem, { 409: 'No administrator would be left' })
  async delete(@Caller() caller: Principal, @Param('user') user: string): Promise<void> {
    await this.users.delete(caller, user);
  }
}
