//! The control socket and channel: requests of operators, answered by the handlers in this process.
//!
//! Who connects to the socket is known from the kernel; nobody but root and the user of this process is heard. Who connects to the
//! channel is known by a key (`remote`). A request is answered with
//! lines of JSON, progress first and the result last. When the caller goes away the work stops.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::jobs::{Jobs, Running};
use super::{AccessesOf, LiftCompromise, ListCompromise, ShowCompromise, UnlockPerson};
use super::{AcknowledgeKeyAlarm, ApplyKeyRequest, BreakGlass, EnrollFirstKey, ListPlanKeys};
use super::{ActOn, BackupNow, Drain, ListBackups, QueueList, QueueShow, Restore, TraceSession, VerifyBackup, Why};
use super::{AddAlias, ChangeMembers, ListAddresses, RemoveAddress, SetFunction};
use super::{AddAppPassword, ListAppPasswords, RemoveAppPassword};
use super::{AddBlock, ListBlocks, RemoveBlock};
use super::{AddDelegation, EndDelegation, EndQuota, GrantQuota, ListDelegations, ListQuotas};
use super::{AddPerson, ChangePerson, ImportPeople, ListPeople, RemovePerson, ShowPerson};
use super::{AllowChanges, DirectoryStatus, SyncDirectory};
use super::{ApproveRecall, FindRecall, ListRecalls, ShowRecall, TakeRecall, UndoRecall};
use super::{ApproveRedirect, ListAsked, LookUpDecisions, ReadAudit, RefuseRedirect, RequestRedirect};
use super::{AskScanners, DrawProbeLogin, LookAtStore};
use super::{BeginTotp, ConfirmTotp, EndTotp, ImportPassword, SetPassword, TotpOf, WeakPasswords, WriteLetter};
use super::{ChangeState, ContainPerson, ErasePerson, LeaveOn, StateOf, UndoContain};
use super::{
    Compact, Context, Export, Import, Line, OperateError, Operation, Progress, ReportsOf, StatsOf, Verify, Who,
};
use super::{Confirm, Deploy, Deployed, Healthy, History, RollBack};
use super::{
    CountsOfTokens, DecideSpam, ExportCounts, ForgetSpam, ImportCounts, ListTaught, RecountSpam, ShowSpam, SpamQueue,
    StatsOfSpam, TeachSpam,
};
use super::{DescribeDecisions, NameHashes, ReadDecisions};
use super::{EndRedirect, GrantRights, GrantsOf, ListRedirects, Live, PutPeople, SetRedirect, SigningKeys};
use super::{EnrollOperator, ListOperators, RemoveOperator, ShowControl};
use super::{MakeBundle, Status};
use super::{PurgeQuarantined, PutMessageBack, QuarantineList, QuarantineShow, ReleaseQuarantined, TakeMessage};
use crate::http::{self, HEADER_MAX, HEADER_OCTETS_MAX};
use crate::service::{Service, stopped};

const CONNECTIONS_MAX: usize = 64;
/// How long a request may take to arrive.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// Lines of progress that wait for a slow reader; further ones are left out.
const LINES_WAITING_MAX: usize = 16;

type Answer = Response<Either<Full<Bytes>, Lines>>;

/// Serves the control socket until the server stops.
pub async fn serve(service: Arc<Service>, jobs: Arc<Jobs>, listener: Arc<UnixListener>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = service.stop.clone();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.map(|(stream, _)| stream),
            () = stopped(&mut stop) => return,
        };
        match stream {
            Ok(stream) => {
                let Ok(place) = places.clone().try_acquire_owned() else { continue };
                let (service, jobs) = (service.clone(), jobs.clone());
                tokio::spawn(async move {
                    let who = stream.peer_cred().ok().map(|peer| Who::Process { uid: peer.uid(), pid: peer.pid() });
                    converse(service, jobs, move || who.clone(), stream).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// One request and its answer. `who` is asked once the header is there.
pub(crate) async fn converse(
    service: Arc<Service>,
    jobs: Arc<Jobs>,
    who: impl Fn() -> Option<Who>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
) {
    let answer = service_fn(|request| {
        let (service, jobs) = (service.clone(), jobs.clone());
        let who = who();
        async move { Ok::<_, Infallible>(respond(service.current(), jobs, who, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX).max_buf_size(HEADER_OCTETS_MAX).keep_alive(false);
    // The caller may go at any moment; that is told to the work by its answer being dropped.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

async fn respond(service: Arc<Service>, jobs: Arc<Jobs>, who: Option<Who>, request: Request<Incoming>) -> Answer {
    let owner = rustix::process::geteuid().as_raw();
    let uid = match &who {
        Some(Who::Process { uid, .. }) => *uid,
        _ => u32::MAX,
    };
    let Some(who) = who.filter(|who| who.may_operate(owner)) else {
        tracing::warn!(uid, "refused on the control socket");
        return refused(StatusCode::FORBIDDEN, OperateError::Forbidden { uid });
    };
    if request.method() != Method::POST {
        return http::respond(&service, &request, http::Door::Control).map(Either::Left);
    }
    let path = request.uri().path().to_owned();
    // Everything else is short, a list of people is not.
    let octets_max = match path.as_str() {
        ImportPeople::PATH => ImportPeople::OCTETS_MAX,
        Deploy::PATH => Deploy::OCTETS_MAX,
        _ => PutPeople::OCTETS_MAX,
    };
    let body = Limited::new(request.into_body(), octets_max).collect();
    let body = match tokio::time::timeout(REQUEST_MAX, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => return refused(StatusCode::BAD_REQUEST, OperateError::BadRequest { why: error.to_string() }),
        Err(_) => {
            let why = "it did not arrive in time".to_owned();
            return refused(StatusCode::REQUEST_TIMEOUT, OperateError::BadRequest { why });
        }
    };
    let asked = Asked { service, jobs, who, body };
    match path.as_str() {
        PutPeople::PATH => asked.start::<PutPeople>(),
        ImportPeople::PATH => asked.start::<ImportPeople>(),
        AddPerson::PATH => asked.start::<AddPerson>(),
        ChangePerson::PATH => asked.start::<ChangePerson>(),
        RemovePerson::PATH => asked.start::<RemovePerson>(),
        ListPeople::PATH => asked.start::<ListPeople>(),
        ShowPerson::PATH => asked.start::<ShowPerson>(),
        AddAlias::PATH | SetFunction::PATH | ChangeMembers::PATH | RemoveAddress::PATH | ListAddresses::PATH => {
            asked.address(&path)
        }
        AddAppPassword::PATH => asked.start::<AddAppPassword>(),
        ListAppPasswords::PATH => asked.start::<ListAppPasswords>(),
        RemoveAppPassword::PATH => asked.start::<RemoveAppPassword>(),
        AccessesOf::PATH => asked.start::<AccessesOf>(),
        UnlockPerson::PATH => asked.start::<UnlockPerson>(),
        ListCompromise::PATH => asked.start::<ListCompromise>(),
        ShowCompromise::PATH => asked.start::<ShowCompromise>(),
        LiftCompromise::PATH => asked.start::<LiftCompromise>(),
        SetRedirect::PATH => asked.start::<SetRedirect>(),
        EndRedirect::PATH => asked.start::<EndRedirect>(),
        ListRedirects::PATH => asked.start::<ListRedirects>(),
        path if path.starts_with("/delegate/") => asked.granted(path),
        path if path.starts_with("/redirect/") => asked.granted(path),
        path if path.starts_with("/person/quota") => asked.granted(path),
        GrantRights::PATH => asked.start::<GrantRights>(),
        GrantsOf::PATH => asked.start::<GrantsOf>(),
        path if is_standing(path) => asked.standing(path),
        path if path.starts_with("/password/") => asked.password(path),
        path if path.starts_with("/directory/") => asked.directory(path),
        DrawProbeLogin::PATH => asked.start::<DrawProbeLogin>(),
        LookAtStore::PATH => asked.start::<LookAtStore>(),
        AskScanners::PATH => asked.start::<AskScanners>(),
        path if path.starts_with("/spam/") => asked.spam(path),
        path if path.starts_with("/recall/") => asked.recall(path),
        path if path.starts_with("/key/") || path.starts_with("/operator/") => asked.control(path),
        path => asked.upkeep(path),
    }
}

/// A request whose command is known.
struct Asked {
    service: Arc<Service>,
    jobs: Arc<Jobs>,
    who: Who,
    body: Bytes,
}

/// Is it asked where an account stands, or is that to change?
fn is_standing(path: &str) -> bool {
    ["/person/state", "/person/leave", "/person/contain", "/person/erase"].iter().any(|begin| path.starts_with(begin))
}

impl Asked {
    /// What is asked of the store, the queue, quarantine, blocks and the records.
    fn upkeep(self, path: &str) -> Answer {
        match path {
            Deploy::PATH => self.start::<Deploy>(),
            Confirm::PATH => self.start::<Confirm>(),
            RollBack::PATH => self.start::<RollBack>(),
            History::PATH => self.start::<History>(),
            Deployed::PATH => self.start::<Deployed>(),
            Healthy::PATH => self.start::<Healthy>(),
            Verify::PATH => self.start::<Verify>(),
            Compact::PATH => self.start::<Compact>(),
            StatsOf::PATH => self.start::<StatsOf>(),
            BackupNow::PATH => self.start::<BackupNow>(),
            ListBackups::PATH => self.start::<ListBackups>(),
            VerifyBackup::PATH => self.start::<VerifyBackup>(),
            Restore::PATH => self.start::<Restore>(),
            Export::PATH => self.start::<Export>(),
            Import::PATH => self.start::<Import>(),
            SigningKeys::PATH => self.start::<SigningKeys>(),
            QueueList::PATH => self.start::<QueueList>(),
            QueueShow::PATH => self.start::<QueueShow>(),
            ActOn::PATH => self.start::<ActOn>(),
            Drain::PATH => self.start::<Drain>(),
            Why::PATH => self.start::<Why>(),
            TraceSession::PATH => self.start::<TraceSession>(),
            AddBlock::PATH => self.start::<AddBlock>(),
            ListBlocks::PATH => self.start::<ListBlocks>(),
            RemoveBlock::PATH => self.start::<RemoveBlock>(),
            ReadAudit::PATH => self.start::<ReadAudit>(),
            DescribeDecisions::PATH => self.start::<DescribeDecisions>(),
            ReadDecisions::PATH => self.start::<ReadDecisions>(),
            NameHashes::PATH => self.start::<NameHashes>(),
            LookUpDecisions::PATH => self.start::<LookUpDecisions>(),
            QuarantineList::PATH => self.start::<QuarantineList>(),
            QuarantineShow::PATH => self.start::<QuarantineShow>(),
            ReleaseQuarantined::PATH => self.start::<ReleaseQuarantined>(),
            PurgeQuarantined::PATH => self.start::<PurgeQuarantined>(),
            TakeMessage::PATH => self.start::<TakeMessage>(),
            PutMessageBack::PATH => self.start::<PutMessageBack>(),
            ReportsOf::PATH => self.start::<ReportsOf>(),
            Status::PATH => self.start::<Status>(),
            MakeBundle::PATH => self.start::<MakeBundle>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of where accounts stand.
    fn standing(self, path: &str) -> Answer {
        match path {
            StateOf::PATH => self.start::<StateOf>(),
            ChangeState::PATH => self.start::<ChangeState>(),
            LeaveOn::PATH => self.start::<LeaveOn>(),
            ContainPerson::PATH => self.start::<ContainPerson>(),
            UndoContain::PATH => self.start::<UndoContain>(),
            ErasePerson::PATH => self.start::<ErasePerson>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of the spam filter.
    fn spam(self, path: &str) -> Answer {
        match path {
            SpamQueue::PATH => self.start::<SpamQueue>(),
            ShowSpam::PATH => self.start::<ShowSpam>(),
            DecideSpam::PATH => self.start::<DecideSpam>(),
            ListTaught::PATH => self.start::<ListTaught>(),
            ForgetSpam::PATH => self.start::<ForgetSpam>(),
            RecountSpam::PATH => self.start::<RecountSpam>(),
            ExportCounts::PATH => self.start::<ExportCounts>(),
            ImportCounts::PATH => self.start::<ImportCounts>(),
            TeachSpam::PATH => self.start::<TeachSpam>(),
            CountsOfTokens::PATH => self.start::<CountsOfTokens>(),
            StatsOfSpam::PATH => self.start::<StatsOfSpam>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of aliases and functional addresses.
    fn address(self, path: &str) -> Answer {
        match path {
            AddAlias::PATH => self.start::<AddAlias>(),
            SetFunction::PATH => self.start::<SetFunction>(),
            ChangeMembers::PATH => self.start::<ChangeMembers>(),
            RemoveAddress::PATH => self.start::<RemoveAddress>(),
            ListAddresses::PATH => self.start::<ListAddresses>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of passwords and second factors.
    fn password(self, path: &str) -> Answer {
        match path {
            SetPassword::PATH => self.start::<SetPassword>(),
            ImportPassword::PATH => self.start::<ImportPassword>(),
            TotpOf::PATH => self.start::<TotpOf>(),
            BeginTotp::PATH => self.start::<BeginTotp>(),
            ConfirmTotp::PATH => self.start::<ConfirmTotp>(),
            EndTotp::PATH => self.start::<EndTotp>(),
            WriteLetter::PATH => self.start::<WriteLetter>(),
            WeakPasswords::PATH => self.start::<WeakPasswords>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is given to people: names to send in, redirects they ask for, room.
    fn granted(self, path: &str) -> Answer {
        match path {
            AddDelegation::PATH => self.start::<AddDelegation>(),
            EndDelegation::PATH => self.start::<EndDelegation>(),
            ListDelegations::PATH => self.start::<ListDelegations>(),
            RequestRedirect::PATH => self.start::<RequestRedirect>(),
            ApproveRedirect::PATH => self.start::<ApproveRedirect>(),
            RefuseRedirect::PATH => self.start::<RefuseRedirect>(),
            ListAsked::PATH => self.start::<ListAsked>(),
            GrantQuota::PATH => self.start::<GrantQuota>(),
            EndQuota::PATH => self.start::<EndQuota>(),
            ListQuotas::PATH => self.start::<ListQuotas>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of the directory server.
    fn directory(self, path: &str) -> Answer {
        match path {
            DirectoryStatus::PATH => self.start::<DirectoryStatus>(),
            SyncDirectory::PATH => self.start::<SyncDirectory>(),
            AllowChanges::PATH => self.start::<AllowChanges>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of who may deploy and operate.
    fn control(self, path: &str) -> Answer {
        match path {
            ListPlanKeys::PATH => self.start::<ListPlanKeys>(),
            EnrollFirstKey::PATH => self.start::<EnrollFirstKey>(),
            ApplyKeyRequest::PATH => self.start::<ApplyKeyRequest>(),
            BreakGlass::PATH => self.start::<BreakGlass>(),
            AcknowledgeKeyAlarm::PATH => self.start::<AcknowledgeKeyAlarm>(),
            EnrollOperator::PATH => self.start::<EnrollOperator>(),
            ListOperators::PATH => self.start::<ListOperators>(),
            RemoveOperator::PATH => self.start::<RemoveOperator>(),
            ShowControl::PATH => self.start::<ShowControl>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// What is asked of recalls.
    fn recall(self, path: &str) -> Answer {
        match path {
            FindRecall::PATH => self.start::<FindRecall>(),
            TakeRecall::PATH => self.start::<TakeRecall>(),
            ApproveRecall::PATH => self.start::<ApproveRecall>(),
            UndoRecall::PATH => self.start::<UndoRecall>(),
            ListRecalls::PATH => self.start::<ListRecalls>(),
            ShowRecall::PATH => self.start::<ShowRecall>(),
            path => refused(StatusCode::NOT_FOUND, OperateError::UnknownCommand { path: path.to_owned() }),
        }
    }

    /// Starts the handler on a thread that may block; its lines are the answer.
    fn start<O: Operation>(self) -> Answer {
        let request: O = match serde_json::from_slice(&self.body) {
            Ok(request) => request,
            Err(error) => return refused(StatusCode::BAD_REQUEST, OperateError::BadRequest { why: error.to_string() }),
        };
        let running = match O::LONG.then(|| self.jobs.begin(O::PATH)).transpose() {
            Ok(running) => running,
            Err(busy) => return refused(StatusCode::CONFLICT, busy),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let context = context(&self.service, self.who, stop.clone());
        let (lines, reader) = mpsc::channel(LINES_WAITING_MAX);
        tokio::task::spawn_blocking(move || run(request, context, lines, running));
        let mut stopping = self.service.stop.clone();
        let told = stop.clone();
        let watching = tokio::spawn(async move {
            stopped(&mut stopping).await;
            told.store(true, Ordering::Relaxed);
        });
        let body = Lines { lines: reader, stop, watching };
        answer(StatusCode::OK, "application/x-ndjson", Either::Right(body))
    }
}

/// What a handler is given by the server that runs it.
pub(crate) fn context(service: &Arc<Service>, who: Who, stop: Arc<AtomicBool>) -> Context {
    let plan = service.tables.plan();
    Context {
        store: service.store.clone(),
        data: service.site.data.clone(),
        snapshots: service.site.snapshots(plan.backup.as_ref()),
        backup: plan.backup.clone(),
        retention: Some(plan.retention.clone()),
        live: Some(Live { tables: service.tables(), redirects: service.redirects.clone(), today: service.today() }),
        who,
        server: Some(service.clone()),
        served: true,
        stop,
    }
}

fn run<O: Operation>(request: O, context: Context, lines: mpsc::Sender<Bytes>, running: Option<Running>) {
    // One that nobody takes in time is left out: the next one says more.
    let mut tell = |progress: Progress| {
        let _ = lines.try_send(line(&Line::<O::Response>::Progress(progress)));
    };
    let handled = std::panic::catch_unwind(AssertUnwindSafe(|| request.perform(&context, &mut tell)));
    // The place is free before the caller hears the end, so that the next call cannot meet this one.
    drop(running);
    let last = match handled {
        Ok(Ok(response)) => Line::Done(response),
        Ok(Err(error)) => Line::Failed(error),
        Err(_) => Line::Failed(OperateError::Panicked),
    };
    // A caller that went away hears nothing.
    let _ = lines.blocking_send(line(&last));
}

fn line<R: Serialize>(line: &Line<R>) -> Bytes {
    let text = serde_json::to_vec(line).unwrap_or_else(|_| br#"{"failed":"panicked"}"#.to_vec());
    Bytes::from([text, b"\n".to_vec()].concat())
}

fn refused(status: StatusCode, error: OperateError) -> Answer {
    answer(status, "application/x-ndjson", Either::Left(Full::new(line(&Line::<()>::Failed(error)))))
}

fn answer(status: StatusCode, content_type: &'static str, body: Either<Full<Bytes>, Lines>) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Lines as they come. Dropped when the caller went away, which stops the work.
struct Lines {
    lines: mpsc::Receiver<Bytes>,
    stop: Arc<AtomicBool>,
    /// Stops the work when the server stops.
    watching: JoinHandle<()>,
}

impl Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.lines.poll_recv(cx).map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.watching.abort();
    }
}
