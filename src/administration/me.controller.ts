import { Body, Controller, Get, HttpCode, Put, Req, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { Caller, Needs } from '../access/needs.js';
import { Principal } from '../access/principal.js';
import { Refuses } from '../access/refuses.js';
import { validated } from '../access/validation.js';
import { User } from '../accounts/user.entity.js';
import { Refusal } from '../tokens/refusal.js';
import { ChangePassword, Me } from './accounts.dto.js';
import { OwnPassword } from './own-password.js';
import { PATOIS } from './patois.dialect.js';
import { Problem } from './problem.dto.js';

/** Who is calling, and that user's own password. */
@ApiTags('accounts')
@Refuses(Problem, { 401: 'No valid credential' })
@Controller('patois/v1/me')
export class MeController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly ownPassword: OwnPassword,
  ) {}

  @Get()
  @Needs(PATOIS)
  @ApiOperation({
    operationId: 'getMe',
    summary: 'Gets the caller; any valid credential will do',
    description: 'The user and, for a caller by token, the token without its value.',
  })
  async get(@Caller() { user, token }: Principal): Promise<Me> {
    const relations = { organization: true, locations: true };
    const current = await this.dataSource.manager.findOne(User, { where: { id: user.id }, relations });
    // The caller is known from memory, which may be a moment behind another server that deleted the user.
    if (!current) throw new Refusal('unauthenticated', { reason: 'ownerDisabled' });
    return new Me(current, token);
  }

  @Put('password')
  @HttpCode(204)
  @Needs(PATOIS)
  @UsePipes(validated('refused'))
  @ApiOperation({
    operationId: 'changeMyPassword',
    summary: "Changes the caller's own password",
    description:
      'By password only. A wrong `oldPassword` is a 403 and counts as a failed login. What the password was is forgotten at once.',
  })
  @Refuses(Problem, {
    400: 'Bad input',
    403: 'A call through a token, or a wrong old password',
    409: 'The account was changed by another call',
    429: 'Too many failed logins',
  })
  async changePassword(
    @Caller() caller: Principal,
    @Body() body: ChangePassword,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.ownPassword.change(caller, body, request.patois.origin);
  }
}
