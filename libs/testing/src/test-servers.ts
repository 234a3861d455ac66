const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: only tests of the projects "integration" and "system" have servers`);
  }
  return value;
};

/** The superuser's address of the Postgres that this test run uses. */
export const testDatabaseAdminUrl = (): string => required('PAYFLOW_TEST_DATABASE_URL');

export interface TestKafka {
  /** For KAFKA_BROKERS. */
  readonly brokerList: string;
  readonly brokers: readonly string[];
}

/** The broker that this test run uses. Other tests use it at the same time. */
export const testKafka = (): TestKafka => {
  const brokerList = required('PAYFLOW_TEST_KAFKA_BROKERS');
  return { brokerList, brokers: brokerList.split(',') };
};
