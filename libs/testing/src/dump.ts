import pg from 'pg';

/** Every row of every table, as text: `bytea` columns appear in hexadecimal. */
export const dumpOf = async (ownerUrl: string): Promise<string> => {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    const parts: string[] = [];
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
      parts.push(name, ...rows.rows.map(({ line }) => line));
    }
    return parts.join('\n');
  } finally {
    await client.end();
  }
};

/** How a card number could stand in a dump: decimal, in groups, hexadecimal of its digits or of the integer, base 64. */
export const encodingsOf = (number: string): readonly string[] => {
  const digits = Buffer.from(number);
  const base64 = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), digits])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and the last characters also depend on the neighbours.
    return padded.slice(offset === 0 ? 0 : offset + 1, -1);
  });
  const groups = number.match(/.{1,4}/g) ?? [];
  return [
    number,
    groups.join(' '),
    groups.join('-'),
    digits.toString('hex'),
    Buffer.from(number, 'utf16le').toString('hex'),
    BigInt(number).toString(16),
    Array.from(number).reverse().join(''),
    ...base64,
  ];
};
