import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Refusal } from '../../refusal.js';
import { TRACING, type Tracing } from '../../tracing.js';
import { ProviderClient } from './provider-client.js';
import { SIGN_IN_PROVIDERS, type SignInProvider } from './sign-in-provider.js';

/** The clients of all providers, by the providers' names. */
@Injectable()
export class ProviderClients {
  private readonly clients: ReadonlyMap<string, ProviderClient>;

  constructor(
    @Inject(SIGN_IN_PROVIDERS) providers: SignInProvider[],
    @Inject(CONFIG) { publicUrl = '' }: Config,
    @Inject(TRACING) tracing: Tracing,
  ) {
    this.clients = new Map(
      providers.map((provider) => [provider.name, new ProviderClient(provider, publicUrl, tracing)]),
    );
  }

  /** In the order of the file. */
  providers(): SignInProvider[] {
    return [...this.clients.values()].map(({ provider }) => provider);
  }

  /** @throws {Refusal} notFound. */
  find(name: string): ProviderClient {
    const client = this.clients.get(name);
    if (!client) throw new Refusal('notFound', { message: 'No such sign-in provider' });
    return client;
  }
}
