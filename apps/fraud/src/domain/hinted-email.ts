/** An address of a person as others than those who asked may see it: enough to know it again, too little to write to it. */
export const hintedEmail = (email: string): string => `${email.slice(0, 1)}***${email.slice(email.lastIndexOf('@'))}`;
