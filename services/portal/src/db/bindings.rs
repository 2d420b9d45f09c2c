//! Roles given to users.

use api_types::access::{Binding, Grant, Role};
use api_types::common::{BindingId, UserId};
use auth::permission::ROLES;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, Query, SelectStatement};
use sea_orm::{ActiveValue::Set, Condition, JoinType, QueryOrder as _, QuerySelect as _};

use super::users;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bindings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub role: String,
    /// Empty: everywhere.
    pub project: String,
    /// Empty: in every environment.
    pub environment: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "users::Entity",
        from = "Column::UserId",
        to = "users::Column::Id"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}

/// The role's name, as in JSON.
#[must_use]
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::PlatformAdmin => "platform_admin",
        Role::Operator => "operator",
        Role::ProjectOwner => "project_owner",
        Role::Developer => "developer",
        Role::Viewer => "viewer",
    }
}

/// A role by its name.
#[must_use]
pub fn role_of(name: &str) -> Option<Role> {
    ROLES.iter().copied().find(|role| role_name(*role) == name)
}

impl Model {
    /// What it grants; nothing when a newer version wrote a role that this one doesn't know.
    #[must_use]
    pub fn grant(&self) -> Option<Grant> {
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Grant {
            role: role_of(&self.role)?,
            project: part(&self.project),
            environment: part(&self.environment),
        })
    }

    fn shown(self, user: String) -> Option<Binding> {
        Some(Binding {
            grant: self.grant()?,
            id: self.id.into(),
            user,
            created_at: self.created_at,
            created_by: self.created_by,
        })
    }
}

/// Gives a user a role. A second time is a unique violation.
pub async fn insert(
    database: &impl ConnectionTrait,
    id: BindingId,
    user: UserId,
    grant: &Grant,
    created_at: DateTime<Utc>,
    created_by: &str,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(id.0),
        user_id: Set(user.0),
        role: Set(role_name(grant.role).to_owned()),
        project: Set(grant.project.clone().unwrap_or_default()),
        environment: Set(grant.environment.clone().unwrap_or_default()),
        created_at: Set(created_at),
        created_by: Set(created_by.to_owned()),
    };
    Entity::insert(row)
        .exec_without_returning(database)
        .await
        .map(drop)
}

/// One as the API shows it.
pub async fn find_shown(database: &impl ConnectionTrait, id: BindingId) -> Result<Option<Binding>, DbErr> {
    let Some(row) = find(database, id).await? else {
        return Ok(None);
    };
    let user = users::find(database, row.user_id.into()).await?;
    Ok(user.and_then(|user| row.shown(user.name)))
}

pub async fn find(database: &impl ConnectionTrait, id: BindingId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id.0).one(database).await
}

pub async fn delete(database: &impl ConnectionTrait, id: BindingId) -> Result<(), DbErr> {
    Entity::delete_by_id(id.0).exec(database).await.map(drop)
}

/// Takes every role in a project away: what is made under its name later is another project.
pub async fn delete_in_project(database: &impl ConnectionTrait, project: &str) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::Project.eq(project))
        .exec(database)
        .await?;
    Ok(outcome.rows_affected)
}

/// Takes every role in an environment away.
pub async fn delete_in_environment(
    database: &impl ConnectionTrait,
    project: &str,
    environment: &str,
) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::Project.eq(project))
        .filter(Column::Environment.eq(environment))
        .exec(database)
        .await?;
    Ok(outcome.rows_affected)
}

/// What a user holds.
pub async fn grants_of(database: &impl ConnectionTrait, user: UserId) -> Result<Vec<Grant>, DbErr> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user.0))
        .order_by_asc(Column::Id)
        .all(database)
        .await?;
    Ok(rows.iter().filter_map(Model::grant).collect())
}

/// Enabled users who hold a role in the whole of a project, or everywhere where none is named. Locks their
/// bindings until the end of the transaction, so that of two who remove each other one is told that the other
/// was the last.
pub async fn lock_holders(
    database: &impl ConnectionTrait,
    role: Role,
    project: Option<&str>,
) -> Result<Vec<(BindingId, UserId)>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Role.eq(role_name(role)))
        .filter(Column::Project.eq(project.unwrap_or_default()))
        .filter(Column::Environment.eq(""))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(database)
        .await?;
    let mut held = Vec::new();
    for row in rows {
        let user = users::find(database, row.user_id.into()).await?;
        if user.is_some_and(|user| !user.disabled) {
            held.push((row.id.into(), row.user_id.into()));
        }
    }
    Ok(held)
}

/// Who holds a role somewhere.
#[must_use]
pub fn holders(role: Role) -> SelectStatement {
    Query::select()
        .column(Column::UserId)
        .from(Entity)
        .and_where(Column::Role.eq(role_name(role)))
        .to_owned()
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub user: Option<String>,
    pub role: Option<Role>,
    pub project: Option<String>,
    pub environment: Option<String>,
    /// Only what holds everywhere.
    pub everywhere: bool,
    /// A part of the user's name.
    pub text: Option<String>,
}

impl Filter {
    fn condition(&self) -> Condition {
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let text = given(&self.text).map(|text| super::audit::contains(text.trim()));
        Condition::all()
            .add_option(given(&self.user).map(|user| users::Column::Name.eq(user)))
            .add_option(self.role.map(|role| Column::Role.eq(role_name(role))))
            .add_option(given(&self.project).map(|project| Column::Project.eq(project)))
            .add_option(given(&self.environment).map(|name| Column::Environment.eq(name)))
            .add_option(self.everywhere.then(|| Column::Project.eq("")))
            .add_option(text.map(|text| Expr::col((users::Entity, users::Column::Name)).like(text)))
    }
}

/// At most `limit` bindings after the place `after`, and how many the whole list has.
pub async fn list(
    database: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<(Vec<Binding>, u64), DbErr> {
    let mut select = Entity::find()
        .join(JoinType::InnerJoin, Relation::User.def())
        .filter(filter.condition());
    let total = select.clone().count(database).await?;
    if let Some(after) = after {
        select = select.filter(Column::Id.gt(after));
    }
    let rows = select
        .order_by_asc(Column::Id)
        .limit(limit)
        .select_also(users::Entity)
        .all(database)
        .await?;
    let items = rows
        .into_iter()
        .filter_map(|(row, user)| row.shown(user?.name))
        .collect();
    Ok((items, total))
}
