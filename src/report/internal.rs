//! The administrator's reports.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::model::{AgentReport, DepartmentReport, OverviewReport};
use super::rules;
use crate::auth::scope::Scope;
use crate::db::Db;
use crate::http::answer::{Reply, Whole};
use crate::http::caller::ByAdmin;
use crate::http::failure::Failure;
use crate::http::tag::Tag;
use crate::scalar::Date;

/// The reports of the Internal API.
pub struct AdminReportApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/internal/reports", tag = "Tag::AdminReports")]
impl AdminReportApi {
    /// Get the overview report
    ///
    /// How the whole desk did in a period of at most 3,660 days, and on each of its days. Days are days of the setting
    /// `time_zone`; each event counts on the day on which it happened. `by_status` and `by_priority` are about the tickets
    /// created in the period and say what these are now; `open_now` is about every ticket. The first response is the first
    /// public message of the staff, the resolution the last time a ticket was closed, whether or not it was reopened since.
    #[oai(path = "/overview", method = "get", operation_id = "admin_get_overview_report")]
    async fn get_overview_report(
        &self,
        #[oai(scope = "Scope::ReportsOverview")] _me: ByAdmin,
        /// The first day of the period, at most 3,659 days before the last; 29 days before today when absent.
        start_date: Query<Option<Date>>,
        /// The last day of the period, which is part of it; today when absent.
        end_date: Query<Option<Date>>,
    ) -> Result<Reply<OverviewReport>, Failure> {
        Ok(self.0.search(move |tx| Reply::new(&rules::overview(tx, start_date.0, end_date.0)?)).await?)
    }

    /// Get the report by agent
    ///
    /// How each agent did in a period of at most 3,660 days: one item for every agent that is not deleted, by name, also when
    /// there is nothing to count. Not paginated. What happened to a ticket counts for the agent who led it at the time;
    /// `by_status` and `by_priority` are about the tickets that the agent led when they were created in the period, and say
    /// what these are now; `open_now` is about the tickets that the agent leads now.
    #[oai(path = "/agents", method = "get", operation_id = "admin_get_agent_report")]
    async fn get_agent_report(
        &self,
        #[oai(scope = "Scope::ReportsAgents")] _me: ByAdmin,
        /// The first day of the period, at most 3,659 days before the last; 29 days before today when absent.
        start_date: Query<Option<Date>>,
        /// The last day of the period, which is part of it; today when absent.
        end_date: Query<Option<Date>>,
    ) -> Result<Whole<AgentReport>, Failure> {
        Ok(self.0.search(move |tx| Whole::new(rules::by_agent(tx, start_date.0, end_date.0)?)).await?)
    }

    /// Get the report by department
    ///
    /// How each department did in a period of at most 3,660 days: one item for every department, drafts included, by
    /// `sort_order`, then name, also when there is nothing to count. Not paginated. What happened to a ticket counts for the
    /// department it was in at the time; `by_status` and `by_priority` are about the tickets created in the department in the
    /// period, and say what these are now; `open_now` is about the tickets that are in it now.
    #[oai(path = "/departments", method = "get", operation_id = "admin_get_department_report")]
    async fn get_department_report(
        &self,
        #[oai(scope = "Scope::ReportsDepartments")] _me: ByAdmin,
        /// The first day of the period, at most 3,659 days before the last; 29 days before today when absent.
        start_date: Query<Option<Date>>,
        /// The last day of the period, which is part of it; today when absent.
        end_date: Query<Option<Date>>,
    ) -> Result<Whole<DepartmentReport>, Failure> {
        Ok(self.0.search(move |tx| Whole::new(rules::by_department(tx, start_date.0, end_date.0)?)).await?)
    }
}
