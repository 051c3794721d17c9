import { Body, Controller, Get, HttpCode, Put, Req, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { ChangePassword, Me } from './me.dto.js';
import { MeService } from './me.service.js';

/** Who is calling, and that user's own password. */
@ApiTags('accounts')
@ApiRefusals(Problem, { 401: 'No valid credential' })
@Controller('patois/v1/me')
export class MeController {
  constructor(private readonly me: MeService) {}

  @Get()
  @RequireScopes(PATOIS)
  @ApiOperation({
    operationId: 'getMe',
    summary: 'Gets the caller; any valid credential is accepted',
    description:
      'Returns the calling user, the address that the call came from and, if it was made with a token, that token without its value.',
  })
  async get(@Caller() caller: Principal, @Req() request: FastifyRequest): Promise<Me> {
    return new Me(await this.me.get(caller), caller.token, request.patois.origin);
  }

  @Put('password')
  @HttpCode(204)
  @RequireScopes(PATOIS)
  @UsePipes(validationPipe('refused'))
  @ApiOperation({
    operationId: 'changeMyPassword',
    summary: "Changes the caller's own password",
    description:
      'For calls by password only. A wrong `oldPassword` is a 403 and counts as a failed login. The old password stops working at once.',
  })
  @ApiRefusals(Problem, {
    400: 'Bad input',
    403: 'Called with a token, or `oldPassword` is wrong',
    409: 'The account was changed by another call',
    429: 'Too many failed logins',
  })
  async changePassword(
    @Caller() caller: Principal,
    @Body() body: ChangePassword,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.me.changePassword(caller, body, request.patois.origin);
  }
}
