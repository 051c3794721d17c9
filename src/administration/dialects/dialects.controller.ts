import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { inTurns } from '../../turnstile.js';
import { Dialect, DialectPage } from './dialects.dto.js';

/** The APIs that tokens are of, and the scopes of each. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 401: 'No valid credential' })
@Controller('patois/v1/dialects')
export class DialectsController {
  constructor(private readonly registry: DialectRegistry) {}

  @Get()
  @RequireScopes(PATOIS)
  @ApiOperation({
    operationId: 'listDialects',
    summary: 'Lists the dialects, their scopes, and which of them the caller may grant',
    description:
      'Any valid credential is accepted. One page, by name. A token of the dialect `patois` may hold the scopes of all others as well.',
  })
  async list(@Caller() caller: Principal): Promise<DialectPage> {
    const dialects = this.registry.all().sort((one, other) => (one.name < other.name ? -1 : 1));
    // Hundreds of scopes may be compared with the hundreds that a token holds.
    return new DialectPage(await inTurns(dialects, (dialect) => new Dialect(dialect, caller)));
  }
}
