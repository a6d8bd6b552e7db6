//! How an SMTP conversation begins: what the session is told of its listener, and what it refuses by itself. Also for
//! simulations, which have no server.

use decide::{Auth, Cell, Client, Reason, RecipientClass, Refusal, SenderClass, Tables};
use plan::{ListenerAuth, Plan, Speaks, TlsMode as PlanTls};
use proto::sasl::Mechanism;
use proto::smtp::{AuthMode, Config, Refusals, TlsMode};

/// What the plan says of the client's listener.
pub fn config(tables: &Tables, client: &Client) -> Config {
    let plan = tables.plan();
    let rules = tables.listener_rules(client.listener);
    let lmtp = rules.speaks == Speaks::Lmtp;
    Config {
        host: rules.host.clone(),
        tls: match rules.tls {
            PlanTls::None => TlsMode::None,
            PlanTls::Offered => TlsMode::Offered,
            PlanTls::Required => TlsMode::Required,
            PlanTls::Implicit => TlsMode::Active,
        },
        auth: match rules.auth {
            ListenerAuth::Never => AuthMode::Never,
            ListenerAuth::Required => AuthMode::Required,
        },
        mechanisms: mechanisms(plan),
        size_octets_max: plan.mailboxes.message_size_octets,
        rcpt_max: tables.recipients_max(client),
        smtputf8: true,
        // Who hands in by LMTP answers for its own notifications (RFC 3461 5.2.2).
        dsn: !lmtp,
        lmtp,
        xclient: !lmtp && tables.tells(client.class).by_xclient(),
    }
}

/// How people may log in: what the plan wants and this server can verify. SCRAM with channel binding follows from SCRAM.
pub fn mechanisms(plan: &Plan) -> Vec<Mechanism> {
    let tokens = plan.identity.oauth.is_some();
    let mechanism = |named: &plan::Mechanism| match named {
        plan::Mechanism::Plain => Some(Mechanism::Plain),
        plan::Mechanism::Login => Some(Mechanism::Login),
        plan::Mechanism::ScramSha256 => Some(Mechanism::ScramSha256),
        plan::Mechanism::OAuthBearer => tokens.then_some(Mechanism::OAuthBearer),
        plan::Mechanism::XOAuth2 => tokens.then_some(Mechanism::XOAuth2),
    };
    plan.identity.password.sent_as.iter().filter_map(mechanism).collect()
}

/// What the session refuses by itself, as the tables judge it: MAIL without TLS, MAIL without a login, a login in the
/// clear, a login where there is none. Nobody is logged in when it does.
pub fn early(tables: &Tables, client: &Client) -> [Option<Refusal>; 4] {
    let mail = |tls, reason| {
        let (sender, recipient) = (SenderClass::Foreign, RecipientClass::Local);
        let Client { listener, class, .. } = *client;
        let cell = Cell { listener, class, tls, auth: Auth::None, sender, recipient };
        tables.envelope(cell).refusal().filter(|refusal| refusal.reason == reason)
    };
    let login = |tls, reason| tables.login_barred(client.listener, tls).filter(|refusal| refusal.reason == reason);
    [
        mail(false, Reason::TlsRequired),
        mail(true, Reason::LoginRequired),
        login(false, Reason::TlsRequired),
        login(true, Reason::NoLogin),
    ]
}

/// The same in the words of the replies; `plan` is the plan's short name.
pub fn refusals(tables: &Tables, plan: &str, client: &Client) -> Refusals {
    let usual = Refusals::default();
    let [tls_required, login_required, login_needs_tls, no_login] = early(tables, client);
    let or = |refusal: Option<Refusal>, usual| refusal.map_or(usual, |it| it.reply(false, plan));
    Refusals {
        tls_required: or(tls_required, usual.tls_required),
        login_required: or(login_required, usual.login_required),
        login_needs_tls: or(login_needs_tls, usual.login_needs_tls),
        no_login: or(no_login, usual.no_login),
    }
}
