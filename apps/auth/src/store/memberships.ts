import type { MembershipRole } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A person who may act for a merchant. */
export interface Membership {
  readonly merchantId: string;
  readonly userId: string;
  readonly role: MembershipRole;
  readonly createdAt: Date;
}

const COLUMNS = `membership.merchant_id AS "merchantId", membership.user_id AS "userId", membership.role,
  membership.created_at AS "createdAt"`;

const OF_USER = `
  SELECT ${COLUMNS} FROM memberships membership JOIN merchants merchant ON merchant.id = membership.merchant_id
   WHERE membership.user_id = $1 AND merchant.status = 'ACTIVE'
   ORDER BY membership.created_at, membership.merchant_id`;

/** For which merchants a person may act, the oldest membership first. Not for one that is blocked. */
export const membershipsOf = async (sql: Sql, userId: string): Promise<readonly Membership[]> =>
  await sql.query<Membership>(OF_USER, [userId]);

/** The same, held against being taken away or changed until the session that acts by it is there to be ended with it. */
export const holdMembershipsOf = async (tx: Tx, userId: string): Promise<readonly Membership[]> =>
  await tx.query<Membership>(`${OF_USER} FOR SHARE OF membership`, [userId]);

export interface Member extends Membership {
  readonly username: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly name: string | null;
}

/** Everybody who may act for the merchant, the oldest membership first. */
export const membersOf = async (sql: Sql, merchantId: string): Promise<readonly Member[]> =>
  await sql.query<Member>(
    `SELECT ${COLUMNS}, member.username, member.email, member.phone, member.name
       FROM memberships membership JOIN users member ON member.id = membership.user_id
      WHERE membership.merchant_id = $1 ORDER BY membership.created_at, membership.user_id`,
    [merchantId],
  );

/** Gives the membership, or changes its role. */
export const saveMembership = async (tx: Tx, membership: Omit<Membership, 'createdAt'>): Promise<void> => {
  await tx.execute(
    `INSERT INTO memberships (merchant_id, user_id, role) VALUES ($1, $2, $3)
     ON CONFLICT (merchant_id, user_id) DO UPDATE SET role = excluded.role`,
    [membership.merchantId, membership.userId, membership.role],
  );
};

/** The members at this moment, held against every other change of them until the transaction ends. */
export const lockMembers = async (tx: Tx, merchantId: string): Promise<readonly Membership[]> => {
  await tx.query('SELECT FROM merchants WHERE id = $1 FOR NO KEY UPDATE', [merchantId]);
  return await tx.query<Membership>(`SELECT ${COLUMNS} FROM memberships membership WHERE membership.merchant_id = $1`, [
    merchantId,
  ]);
};

export const deleteMembership = async (tx: Tx, merchantId: string, userId: string): Promise<void> => {
  await tx.execute('DELETE FROM memberships WHERE merchant_id = $1 AND user_id = $2', [merchantId, userId]);
};
