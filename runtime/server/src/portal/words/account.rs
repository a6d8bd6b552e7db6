//! Words of the pages about an account: its secrets, and how programs are set up.

use super::Words;

pub(crate) const CHANGE_PASSWORD: Words = Words("Changer de mot de passe", "Change password");
pub(crate) const PASSWORD_NOT_FROM_HERE: Words = Words(
    "Depuis l’extérieur, le mot de passe ne peut pas être changé.",
    "From outside the password cannot be changed.",
);
pub(crate) const PASSWORD_FROM_INSIDE: Words = Words(
    "Votre compte n’a pas de problème : c’est une règle de l’établissement, pour qu’un mot de passe volé ne suffise pas à vous prendre votre compte. Revenez sur cette page depuis le réseau de l’établissement, sur place ou par le VPN.",
    "Nothing is wrong with your account: this is a rule of the institution, so that a stolen password is not enough to take your account from you. Come back to this page from the institution’s network, on site or over the VPN.",
);
pub(crate) const ASK: Words = Words("Des questions ? {}", "Questions? {}");
pub(crate) const PASSWORD_EVERY: Words =
    Words("Le mot de passe est à renouveler tous les {} mois.", "The password has to be renewed every {} months.");
pub(crate) const PASSWORD_ENDED: Words = Words(
    "Votre mot de passe est périmé, ou il vous a été remis sur papier : choisissez-en un nouveau pour continuer.",
    "Your password has ended, or was given to you on paper: choose a new one to go on.",
);
pub(crate) const PASSWORD_OLD: Words = Words("Mot de passe actuel", "Current password");
pub(crate) const PASSWORD_NEW: Words = Words("Nouveau mot de passe", "New password");
pub(crate) const PASSWORD_AGAIN: Words = Words("Nouveau mot de passe, encore une fois", "New password, once more");
pub(crate) const PASSWORD_HINT: Words = Words(
    "Plusieurs mots sans rapport entre eux se retiennent bien et se devinent mal.",
    "Several words that have nothing to do with each other are easy to keep in mind and hard to guess.",
);
pub(crate) const PASSWORD_DIFFERS: Words = Words(
    "Les deux saisies du nouveau mot de passe ne sont pas les mêmes.",
    "The new password was not typed the same twice.",
);
pub(crate) const PASSWORD_OLD_WRONG: Words =
    Words("Ce n’est pas votre mot de passe actuel.", "This is not your current password.");
pub(crate) const PASSWORD_CHANGED: Words = Words(
    "Votre mot de passe est changé. Donnez-le aussi à vos logiciels de courrier.",
    "Your password is changed. Tell your mail programs, too.",
);

pub(crate) const APP_PASSWORDS: Words = Words("Mots de passe d’application", "App passwords");
pub(crate) const APP_PASSWORDS_WHAT: Words = Words(
    "Un mot de passe par logiciel de courrier : si un téléphone est perdu, retirez le sien et rien d’autre ne change.",
    "One password for each mail program: if a phone is lost, remove its password and nothing else changes.",
);
pub(crate) const APP_PASSWORDS_NONE: Words = Words("Vous n’en avez pas.", "You have none.");
pub(crate) const MADE_ON: Words = Words("Créé le {}", "Made on {}");
pub(crate) const LAST_USED: Words = Words("Utilisé la dernière fois le {}.", "Last used on {}.");
pub(crate) const NEVER_USED: Words = Words("Jamais utilisé.", "Never used.");
pub(crate) const REMOVE: Words = Words("Retirer", "Remove");
pub(crate) const APP_PASSWORD_ADD: Words = Words("En créer un", "Make one");
pub(crate) const APP_PASSWORD_NAME: Words = Words("Pour quel appareil ou logiciel ?", "For which device or program?");
pub(crate) const APP_PASSWORD_NAME_HINT: Words = Words("Par exemple « téléphone »", "For example “phone”");
pub(crate) const APP_PASSWORD_MAKE: Words = Words("Créer le mot de passe", "Make the password");
pub(crate) const APP_PASSWORD_BAD_NAME: Words = Words(
    "Donnez un nom de 64 caractères au plus, que vous n’utilisez pas encore.",
    "Give a name of 64 characters at most that you do not use yet.",
);
pub(crate) const APP_PASSWORD_MADE: Words = Words("Le mot de passe pour « {} » :", "The password for “{}”:");
pub(crate) const APP_PASSWORD_ONCE: Words = Words(
    "Saisissez-le maintenant dans le logiciel : il ne sera plus jamais affiché. Les tirets peuvent être omis.",
    "Type it into the program now: it will never be shown again. The hyphens may be left out.",
);
pub(crate) const APP_PASSWORD_TYPED: Words = Words("C’est fait", "Done");
pub(crate) const APP_PASSWORD_REMOVED: Words =
    Words("Ce mot de passe n’ouvre plus rien.", "This password opens nothing any more.");

pub(crate) const SETUP: Words = Words("Configurer un logiciel", "Set up a program");
pub(crate) const SETUP_WHAT: Words = Words(
    "Choisissez votre logiciel. La plupart trouvent tout avec votre seule adresse.",
    "Choose your program. Most find everything from your address alone.",
);
pub(crate) const SETUP_APP_PASSWORD: Words =
    Words("Pour un téléphone, préférez un mot de passe à part :", "For a phone, better use a password of its own:");
pub(crate) const YOUR_VALUES: Words = Words("Vos réglages", "Your settings");
pub(crate) const NAME: Words = Words("Nom", "Name");
pub(crate) const INCOMING: Words = Words("Courrier entrant", "Incoming mail");
pub(crate) const OUTGOING: Words = Words("Courrier sortant", "Outgoing mail");
pub(crate) const PROTOCOL: Words = Words("Protocole", "Protocol");
pub(crate) const SERVER: Words = Words("Serveur", "Server");
pub(crate) const PORT: Words = Words("Port", "Port");
pub(crate) const SECURITY: Words = Words("Sécurité de la connexion", "Connection security");
pub(crate) const YOUR_PASSWORD: Words =
    Words("le vôtre, ou un mot de passe d’application", "yours, or an app password");
pub(crate) const TLS_FIRST: Words = Words("SSL/TLS", "SSL/TLS");
pub(crate) const STARTTLS: Words = Words("STARTTLS", "STARTTLS");
pub(crate) const NO_TLS: Words = Words("aucune", "none");
pub(crate) const OTHER_PROGRAMS: Words = Words("Autres logiciels", "Other programs");
pub(crate) const PROFILE: Words = Words("Télécharger le profil", "Download the profile");
pub(crate) const PROFILE_QR: Words = Words("Code QR qui mène au profil", "QR code that leads to the profile");
pub(crate) const THUNDERBIRD: Words = Words("Thunderbird", "Thunderbird");
pub(crate) const OUTLOOK: Words = Words("Outlook", "Outlook");
pub(crate) const APPLE_MAIL: Words = Words("Mail sur Mac", "Mail on a Mac");
pub(crate) const IPHONE: Words = Words("iPhone et iPad", "iPhone and iPad");
pub(crate) const ANDROID: Words = Words("Android (Thunderbird, K-9 Mail)", "Android (Thunderbird, K-9 Mail)");
pub(crate) const THUNDERBIRD_STEPS: [Words; 4] = [
    Words(
        "Ouvrez le menu, puis « Nouveau compte » et « Courrier électronique ».",
        "Open the menu, then “New account” and “Email”.",
    ),
    Words(
        "Saisissez votre nom, votre adresse {} et votre mot de passe.",
        "Enter your name, your address {} and your password.",
    ),
    Words(
        "Appuyez sur « Continuer » : les réglages sont trouvés tout seuls.",
        "Press “Continue”: the settings are found by themselves.",
    ),
    Words("Comparez-les avec ceux qui suivent, puis terminez.", "Compare them with those below, then finish."),
];
pub(crate) const OUTLOOK_STEPS: [Words; 3] = [
    Words("Ouvrez « Fichier », puis « Ajouter un compte ».", "Open “File”, then “Add account”."),
    Words("Saisissez votre adresse {}.", "Enter your address {}."),
    Words(
        "Si Outlook ne trouve rien, choisissez « Configuration manuelle », IMAP, et les réglages qui suivent.",
        "If Outlook finds nothing, choose “Set up manually”, IMAP, and the settings below.",
    ),
];
pub(crate) const APPLE_STEPS: [Words; 3] = [
    Words(
        "Téléchargez le profil : il contient les réglages, mais pas votre mot de passe.",
        "Download the profile: it holds the settings, but not your password.",
    ),
    Words(
        "Ouvrez-le, puis « Réglages Système » et « Profils » pour l’installer.",
        "Open it, then “System Settings” and “Profiles” to install it.",
    ),
    Words("Saisissez le mot de passe quand il est demandé.", "Enter the password when you are asked for it."),
];
pub(crate) const IPHONE_STEPS: [Words; 3] = [
    Words(
        "Visez l’image avec l’appareil photo de l’iPhone, ou téléchargez le profil depuis l’iPhone.",
        "Point the camera of the iPhone at the picture, or download the profile on the iPhone.",
    ),
    Words(
        "Ouvrez « Réglages », puis « Profil téléchargé » pour l’installer.",
        "Open “Settings”, then “Profile downloaded” to install it.",
    ),
    Words("Saisissez le mot de passe quand il est demandé.", "Enter the password when you are asked for it."),
];
pub(crate) const ANDROID_STEPS: [Words; 3] = [
    Words("Ouvrez l’application et ajoutez un compte.", "Open the application and add an account."),
    Words("Saisissez votre adresse {} et votre mot de passe.", "Enter your address {} and your password."),
    Words(
        "Les réglages sont trouvés tout seuls ; sinon, saisissez ceux qui suivent.",
        "The settings are found by themselves; if not, enter those below.",
    ),
];

pub(crate) const ACCESSIBILITY: Words =
    Words("Accessibilité : partiellement conforme", "Accessibility: partially conforming");
pub(crate) const ACCESS_LINK: Words = ACCESSIBILITY;
pub(crate) const ACCESS_PROMISE: Words = Words(
    "{} s’engage à rendre ce site accessible, conformément à l’article 47 de la loi n° 2005-102 du 11 février 2005. Cette déclaration s’applique à {}.",
    "{} undertakes to make this site accessible, as article 47 of the French act 2005-102 of 11 February 2005 asks. This statement is about {}.",
);
pub(crate) const ACCESS_STATE: Words = Words("État de conformité", "How far it conforms");
pub(crate) const ACCESS_PARTLY: Words = Words(
    "Ce site est partiellement conforme au référentiel général d’amélioration de l’accessibilité (RGAA 4.1) : il a été vérifié par des tests automatiques, et aucun audit par un tiers n’a encore eu lieu.",
    "This site conforms in part to the French reference RGAA 4.1 (WCAG 2.1 AA): it was checked by automatic tests, and nobody else has audited it yet.",
);
pub(crate) const ACCESS_TESTED: Words = Words("Ce qui est assuré", "What is made sure");
pub(crate) const ACCESS_TESTS: [Words; 5] = [
    Words(
        "Chaque page se parcourt au clavier seul, avec un lien d’évitement et un focus visible.",
        "Each page can be used by keyboard alone, with a skip link and a visible focus.",
    ),
    Words(
        "Chaque champ a une étiquette, et chaque erreur dit quoi corriger et y mène.",
        "Each field has a label, and each error says what to correct and leads there.",
    ),
    Words(
        "Rien ne dépend de la couleur seule ; les contrastes dépassent 4,5 pour 1.",
        "Nothing depends on colour alone; contrasts are above 4.5 to 1.",
    ),
    Words(
        "Les pages tiennent sur un écran de 320 points de large et à 400 % d’agrandissement.",
        "Pages fit a screen 320 points wide and enlarge to 400 %.",
    ),
    Words(
        "Aucun script n’est nécessaire ; la langue de chaque page est indiquée.",
        "No script is needed; the language of each page is stated.",
    ),
];
pub(crate) const ACCESS_NOT: Words = Words("Ce qui n’est pas vérifié", "What was not checked");
pub(crate) const ACCESS_NOT_TESTED: Words = Words(
    "Les pages n’ont pas encore été essayées par des personnes qui utilisent un lecteur d’écran. Les codes QR sont des images ; le même contenu est écrit à côté.",
    "The pages have not yet been tried by people who use a screen reader. QR codes are pictures; what they hold is written beside them.",
);
pub(crate) const ACCESS_CONTACT: Words = Words("Nous écrire", "Write to us");
pub(crate) const ACCESS_WRITE: Words = Words(
    "Si une page vous résiste, dites-le : {}. Nous vous aiderons autrement et corrigerons la page.",
    "If a page gets in your way, say so: {}. We will help you in another way and correct the page.",
);
pub(crate) const ACCESS_WRITE_POSTMASTER: Words = Words(
    "Si une page vous résiste, écrivez à postmaster. {} vous aidera autrement et corrigera la page.",
    "If a page gets in your way, write to postmaster. {} will help you in another way and correct the page.",
);
pub(crate) const ACCESS_APPEAL: Words = Words("Voies de recours", "Where to complain");
pub(crate) const ACCESS_DEFENDER: Words = Words(
    "Sans réponse de notre part, vous pouvez vous adresser au Défenseur des droits (defenseurdesdroits.fr, Libre réponse 71120, 75342 Paris CEDEX 07).",
    "If we do not answer, you can turn to the French Defender of Rights (defenseurdesdroits.fr, Libre réponse 71120, 75342 Paris CEDEX 07).",
);
