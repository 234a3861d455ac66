/** The port each service listens on unless PORT says otherwise. */
export const SERVICE_PORTS = {
  gateway: 8080,
  auth: 8081,
  payment: 8082,
  tokenization: 8083,
  ledger: 8084,
  'acquirer-sim': 8085,
  wallet: 8086,
  fraud: 8087,
  notification: 8088,
  settlement: 8089,
} as const;

export type ServiceName = keyof typeof SERVICE_PORTS;
