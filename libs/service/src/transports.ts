import type { CustomTransportStrategy, Server } from '@nestjs/microservices';

/** Nest transport strategies that modules bring along (Kafka consumers); connected before the service listens. */
export class Transports {
  private readonly strategies: (Server & CustomTransportStrategy)[] = [];

  add(strategy: Server & CustomTransportStrategy): void {
    this.strategies.push(strategy);
  }

  get all(): readonly (Server & CustomTransportStrategy)[] {
    return this.strategies;
  }
}
