import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { Public, RequireScopes } from '../../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../../config.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { ProviderClients } from './provider-clients.js';
import { SignInProviderList, SignInProviderSettings } from './sign-in-providers.dto.js';

/** The identity providers that people sign in to the console by. */
@ApiTags('accounts')
@Controller('patois/v1/sign-in-providers')
export class SignInProvidersController {
  constructor(
    private readonly clients: ProviderClients,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @ApiOperation({
    operationId: 'listSignInProviders',
    summary: 'Lists the identity providers that people sign in by',
    description:
      'For the page that offers them: name and title alone, in the order of the settings. Answers anybody.',
  })
  list(): SignInProviderList {
    return new SignInProviderList(this.clients.providers());
  }

  @Get(':name')
  @ApiParam({ name: 'name', description: 'The name of a provider.', example: 'corp' })
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'getSignInProvider',
    summary: 'Gets the settings of an identity provider',
    description:
      'For administrators of everything. The secret of the client is not shown; `redirectUri` is what the provider must know.',
  })
  @ApiRefusals(Problem, {
    401: 'No valid credential',
    403: 'Not allowed to this caller',
    404: 'There is no such provider',
  })
  get(@Caller() caller: Principal, @Param('name') name: string): SignInProviderSettings {
    caller.assertAdministersAll();
    return new SignInProviderSettings(this.clients.find(name).provider, this.config.publicUrl ?? '');
  }
}
