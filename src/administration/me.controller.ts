import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { Caller, Needs } from '../access/needs.js';
import { Principal } from '../access/principal.js';
import { Refuses } from '../access/refuses.js';
import { User } from '../accounts/user.entity.js';
import { Refusal } from '../tokens/refusal.js';
import { Me } from './accounts.dto.js';
import { PATOIS } from './patois.dialect.js';
import { Problem } from './problem.dto.js';

/** Who is calling. */
@ApiTags('accounts')
@Refuses(Problem, { 401: 'No valid credential' })
@Controller('patois/v1/me')
export class MeController {
  constructor(private readonly dataSource: DataSource) {}

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
}
