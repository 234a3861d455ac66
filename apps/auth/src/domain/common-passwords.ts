/** What is tried first, of eight characters and more: from the lists of leaked passwords, and what our own name suggests. */
const LIST = `
00000000 0123456789 0987654321 102030405060 1029384756 11111111 111111111 1111111111 1111111a 11223344
1122334455 112233445566 123123123 123321123 12344321 123454321 12345678 123456789 1234567890 12345678910
123456qwerty 12345abc 1234abcd 1234qwer 123qwe123 123qweasd 147258369 159753456 1a2b3c4d 1q2w3e4r 1q2w3e4r5t
1qaz2wsx 1qaz2wsx3edc 1qazxsw2 22222222 31415926 314159265 33333333 5201314520 55555555 66666666 741852963
77777777 789456123 87654321 87654321a 88888888 963852741 987654321 987654321a 99999999 a1234567 a12345678
a123456789 a1b2c3d4 aa123456 aa12345678 abc12345 abc123456 abcd1234 abcdefg1 abcdefgh abcdefghi access14
admin123 admin1234 admin12345 administrator administrator1 arsenal1 asdasd123 asdasdasd asdf1234 asdfghjk
asdfghjkl ashley123 autumn2025 azerty123 azertyui barcelona baseball baseball1 basketball batman123 bitcoin1
blahblah blink182 changeme changeme1 changeme123 charlie1 chelsea1 computer computer1 correcthorsebatterystaple
creditcard default1 default123 dragon123 football football1 guest123 guest1234 hello123 hello1234 helloworld
iloveyou iloveyou1 iloveyou123 iloveyou2 internet internet1 jennifer jessica1 jordan23 letmein1 letmein123
liverpool liverpool1 loveyou1 manchester master123 mastercard michael1 michelle money123 monkey123 mypassword
p@ssw0rd p@ssword pa55word passw0rd password password1 password12 password123 password1234 passwords passwort
payflow1 payflow12 payflow123 payflowpayflow paypal123 pokemon1 pokemon123 princess princess1 q1234567 q1w2e3r4
q1w2e3r4t5 qazwsxedc qq123456 qwe123456 qweasdzxc qweqweqwe qwer1234 qwerty01 qwerty12 qwerty123 qwerty1234
qwertyui qwertyuiop qwertyuiop[] root1234 rootroot samsung1 samsung123 secret12 secret1234 shadow123 spiderman
spring2025 spring2026 startrek starwars summer2023 summer2024 summer2025 summer2026 sunshine sunshine1 superman
superman1 temp1234 temppass test1234 test12345 testing1 testing123 testtest toortoor trustno1 user1234 welcome1
welcome12 welcome123 whatever winter2024 winter2025 winter2026 woaini1314 woaini520 zaq12wsx zaq1zaq1 zxcvbnm1
zxcvbnm123
`;

export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(LIST.split(/\s+/).filter((word) => word !== ''));
