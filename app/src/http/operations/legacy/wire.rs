//! Wire format of students in the articles' `/student`.

use domain::Email;
use domain::record::Record;
use domain::student::{Age, RollNumber, Student, StudentId, StudentName, StudentPatch};
use poem_openapi::registry::Registry;
use serde_json::{Value, json};

use crate::http::request::BodyRules;
use crate::http::wire::{Described, Nested, Property, Text, input, object_schema, patch, response, text_value};

/// Any text, because the articles' server accepted every search text.
pub struct AnyText(pub String);

text_value!(AnyText {}, |text| Ok::<_, &str>(AnyText(text)), |text: &AnyText| text.0.clone());

response! {
    /// A student, with the keys of the articles.
    pub struct LegacyStudent as "LegacyStudent" {
        /// Permanent identifier, never reused.
        id: StudentId = 1,
        name: StudentName = "Asha",
        emailid: Email = "asha@example.org",
        rollno: RollNumber = 7,
        age: Option<Age> = (),
    }
}

impl From<Record<Student>> for LegacyStudent {
    fn from(record: Record<Student>) -> Self {
        let Student { name, email, roll_no, age, external_id: _ } = record.fields;
        Self { id: record.id, name, emailid: email, rollno: roll_no, age }
    }
}

/// The matching student, or an empty object.
struct LegacyStudentMatch;

impl Described for LegacyStudentMatch {
    fn name() -> std::borrow::Cow<'static, str> {
        "LegacyStudentMatch".into()
    }

    fn schema(registry: &mut Registry) -> Value {
        let mut schema = LegacyStudent::schema(registry);
        schema["description"] = json!("The matching student, or an empty object.");
        if let Some(object) = schema.as_object_mut() {
            object.remove("required");
        }
        schema
    }
}

/// Schema of the list of legacy students.
pub struct LegacyStudents;

impl Described for LegacyStudents {
    fn name() -> std::borrow::Cow<'static, str> {
        "LegacyStudents".into()
    }

    fn schema(registry: &mut Registry) -> Value {
        LegacyStudent::register(registry);
        LegacyStudentMatch::register(registry);
        let students = json!({ "type": "array", "items": LegacyStudent::reference() });
        let properties = vec![
            Property::new("Students", "All students, ordered by id. Their number is not limited.", students),
            Property::new(
                "Student",
                "The first student with a name that contains the parameter `name`.",
                LegacyStudentMatch::reference(),
            ),
        ];
        let description = "All students in `Students`, or with the parameter `name` the first match in `Student`.";
        object_schema(description, properties, false)
    }
}

response! {
    /// The updated student, under the key of the articles.
    pub struct LegacyChange as "LegacyChange" {
        author: Nested<LegacyStudent> =
            json!({ "id": 1, "name": "Asha", "emailid": "asha@example.org", "rollno": 7, "age": 21 }),
    }
}

response! {
    /// Confirmation that the student was deleted.
    pub struct LegacyMessage as "LegacyMessage" {
        msg: Text = "Record deleted...!!!",
    }
}

input! {
    /// A new student, with the keys of the articles. Unknown keys are ignored.
    LegacyStudentInput as "LegacyStudentInput" => Student, BodyRules::LEGACY_STUDENT, {
        name: StudentName = "Meera Nair",
        email as "emailid": Email = "meera.nair@example.org",
        roll_no as "rollno": RollNumber = 127,
        age: Option<Age> = 21,
    }, [external_id: None]
}

patch! {
    /// Fields to change, with the keys of the articles. Unknown keys are ignored.
    LegacyStudentPatch as "LegacyStudentPatch" => StudentPatch, BodyRules::LEGACY_STUDENT, {
        name: StudentName = (),
        email as "emailid": Email = "asha@example.org",
        roll_no as "rollno": RollNumber = (),
        age: Option<Age> = 21,
    }
}
