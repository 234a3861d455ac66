import type { MembershipRole, MembershipStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A person who may act for a merchant, or is invited to. */
export interface Membership {
  readonly merchantId: string;
  readonly userId: string;
  readonly role: MembershipRole;
  readonly status: MembershipStatus;
  readonly createdAt: Date;
}

const COLUMNS = `membership.merchant_id AS "merchantId", membership.user_id AS "userId", membership.role,
  membership.status, membership.created_at AS "createdAt"`;

const OF_USER = `
  SELECT ${COLUMNS} FROM memberships membership JOIN merchants merchant ON merchant.id = membership.merchant_id
   WHERE membership.user_id = $1 AND membership.status = 'ACTIVE' AND merchant.status = 'ACTIVE'
   ORDER BY membership.created_at, membership.merchant_id`;

/** For which merchants a person may act, the oldest membership first. Not for one that is blocked, or only invites him. */
export const membershipsOf = async (sql: Sql, userId: string): Promise<readonly Membership[]> =>
  await sql.query<Membership>(OF_USER, [userId]);

/** The same, held against being taken away or changed until the session that acts by it is there to be ended with it. */
export const holdMembershipsOf = async (tx: Tx, userId: string): Promise<readonly Membership[]> =>
  await tx.query<Membership>(`${OF_USER} FOR SHARE OF membership`, [userId]);

export interface OwnMembership extends Membership {
  readonly merchantName: string;
}

/** Invitations too, and of merchants that are blocked: whoever is asked may answer, and whoever is in may leave. */
export const allMembershipsOf = async (sql: Sql, userId: string): Promise<readonly OwnMembership[]> =>
  await sql.query<OwnMembership>(
    `SELECT ${COLUMNS}, merchant.name AS "merchantName"
       FROM memberships membership JOIN merchants merchant ON merchant.id = membership.merchant_id
      WHERE membership.user_id = $1 ORDER BY membership.created_at, membership.merchant_id`,
    [userId],
  );

/** The name that an owner typed to invite somebody; empty for an id. */
export type InvitedAs = Partial<Readonly<Record<'username' | 'email' | 'phone', string>>>;

export interface Member extends Membership {
  readonly invitedAs: InvitedAs | null;
  readonly username: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly name: string | null;
}

/** Everybody who may act for the merchant or is invited to, the oldest membership first. */
export const membersOf = async (sql: Sql, merchantId: string): Promise<readonly Member[]> =>
  await sql.query<Member>(
    `SELECT ${COLUMNS}, membership.invited_as AS "invitedAs", member.username, member.email, member.phone, member.name
       FROM memberships membership JOIN users member ON member.id = membership.user_id
      WHERE membership.merchant_id = $1 ORDER BY membership.created_at, membership.user_id`,
    [merchantId],
  );

/** Gives the membership, or changes its role and status. */
export const saveMembership = async (
  tx: Tx,
  { merchantId, userId, role, status, invitedAs }: Omit<Membership, 'createdAt'> & Pick<Member, 'invitedAs'>,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO memberships (merchant_id, user_id, role, status, invited_as) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (merchant_id, user_id)
     DO UPDATE SET role = excluded.role, status = excluded.status, invited_as = excluded.invited_as`,
    [merchantId, userId, role, status, invitedAs && JSON.stringify(invitedAs)],
  );
};

/** The members and who is invited at this moment, held against every other change of them until the transaction ends. */
export const lockMembers = async (tx: Tx, merchantId: string): Promise<readonly Membership[]> => {
  await tx.query('SELECT FROM merchants WHERE id = $1 FOR NO KEY UPDATE', [merchantId]);
  return await tx.query<Membership>(`SELECT ${COLUMNS} FROM memberships membership WHERE membership.merchant_id = $1`, [
    merchantId,
  ]);
};

export const deleteMembership = async (tx: Tx, merchantId: string, userId: string): Promise<void> => {
  await tx.execute('DELETE FROM memberships WHERE merchant_id = $1 AND user_id = $2', [merchantId, userId]);
};
