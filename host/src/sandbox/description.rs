//! What a core module says of its world, in custom sections that bindings write. Nothing is taken
//! from it here: it is held against what bindings write, for what reads it later would follow
//! packages that use each other in a circle without end.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ComponentType,
    ComponentTypeDeclaration, ComponentTypeRef, InstanceTypeDeclaration, Parser, Payload,
    TypeBounds,
};

/// How the names of the sections start.
pub(super) const DESCRIPTION: &str = "component-type";

/// Packages that one module may name.
const MAX_PACKAGES: usize = 64;

const UNUSUAL: &str = "its description of its world is not as bindings write it";

/// Packages and those that each of them uses. Versions do not count: what reads descriptions may
/// take one version for another.
#[derive(Default)]
struct Packages<'a> {
    uses: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
}

/// What is known of the types of a world so far.
#[derive(Clone, Copy)]
enum WorldType<'a> {
    /// An interface that is not imported or exported yet, at this place in `interfaces`.
    Interface(usize),
    /// Taken from an interface of this package.
    Of(Package<'a>),
    /// Of the world itself: interfaces have no business with it.
    Own,
}

/// One world, while its declarations are read.
struct World<'a> {
    package: Package<'a>,
    types: Vec<WorldType<'a>>,
    /// The packages that each interface uses; none once it is imported or exported.
    interfaces: Vec<Option<BTreeSet<Package<'a>>>>,
    /// Packages of the interfaces that are imported and exported.
    instances: Vec<Package<'a>>,
}

/// Refuses descriptions that nobody writes, and packages that use each other in a circle, with
/// those of the `adapter` that the module will be joined with.
pub(super) fn check(core: &[u8], adapter: &[u8]) -> Result<(), String> {
    let mut packages = Packages::default();
    packages.read_module(adapter)?;
    packages.read_module(core)?;
    packages.check_no_circle()
}

impl<'a> Packages<'a> {
    fn read_module(&mut self, module: &'a [u8]) -> Result<(), String> {
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::CustomSection(section) = payload.map_err(text)?
                && section.name().starts_with(DESCRIPTION)
            {
                self.read(section.data())?;
            }
        }
        Ok(())
    }

    /// Reads one section: a component that holds just the type of a component, which exports the
    /// world, again as the type of a component.
    fn read(&mut self, section: &'a [u8]) -> Result<(), String> {
        for payload in Parser::new(0).parse_all(section) {
            match payload.map_err(text)? {
                Payload::ComponentTypeSection(types) => {
                    for declared in types {
                        match declared.map_err(text)? {
                            ComponentType::Component(outer) => self.read_outer(&outer)?,
                            _ => return Err(UNUSUAL.into()),
                        }
                    }
                }
                Payload::Version { .. }
                | Payload::CustomSection(_)
                | Payload::ComponentExportSection(_)
                | Payload::End(_) => {}
                _ => return Err(UNUSUAL.into()),
            }
        }
        Ok(())
    }

    fn read_outer(&mut self, outer: &[ComponentTypeDeclaration<'a>]) -> Result<(), String> {
        let [
            ComponentTypeDeclaration::Type(ComponentType::Component(declarations)),
            ComponentTypeDeclaration::Export { name, .. },
        ] = outer
        else {
            return Err(UNUSUAL.into());
        };
        let mut world = World {
            package: Package::of(name.name),
            types: Vec::new(),
            interfaces: Vec::new(),
            instances: Vec::new(),
        };
        declarations.iter().try_for_each(|declaration| self.declare(&mut world, declaration))
    }

    fn declare(
        &mut self,
        world: &mut World<'a>,
        declaration: &ComponentTypeDeclaration<'a>,
    ) -> Result<(), String> {
        match declaration {
            ComponentTypeDeclaration::Type(ComponentType::Instance(declarations)) => {
                let uses = world.used_by(declarations)?;
                world.types.push(WorldType::Interface(world.interfaces.len()));
                world.interfaces.push(Some(uses));
                Ok(())
            }
            ComponentTypeDeclaration::Type(ComponentType::Component(_))
            | ComponentTypeDeclaration::CoreType(_) => Err(UNUSUAL.into()),
            ComponentTypeDeclaration::Type(_) => {
                world.types.push(WorldType::Own);
                Ok(())
            }
            ComponentTypeDeclaration::Alias(ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Type,
                instance_index,
                ..
            }) => {
                let package = at(&world.instances, *instance_index)?;
                world.types.push(WorldType::Of(package));
                Ok(())
            }
            ComponentTypeDeclaration::Alias(_) => Err(UNUSUAL.into()),
            ComponentTypeDeclaration::Export { name, ty } => self.name(world, name.name, *ty),
            ComponentTypeDeclaration::Import(import) => {
                self.name(world, import.name.name, import.ty)
            }
        }
    }

    /// An import or an export of the world.
    fn name(
        &mut self,
        world: &mut World<'a>,
        name: &'a str,
        named: ComponentTypeRef,
    ) -> Result<(), String> {
        match named {
            ComponentTypeRef::Instance(interface) => {
                let WorldType::Interface(place) = at(&world.types, interface)? else {
                    return Err(UNUSUAL.into());
                };
                let uses = world.interfaces.get_mut(place).and_then(Option::take);
                let package = Package::of(name);
                self.note_use(world.package, package)?;
                for used in uses.ok_or(UNUSUAL)? {
                    self.note_use(package, used)?;
                }
                world.instances.push(package);
            }
            ComponentTypeRef::Type(TypeBounds::Eq(same)) => {
                let same = at(&world.types, same)?;
                world.types.push(same);
            }
            ComponentTypeRef::Type(TypeBounds::SubResource) => world.types.push(WorldType::Own),
            ComponentTypeRef::Func(_) => {}
            _ => return Err(UNUSUAL.into()),
        }
        Ok(())
    }

    fn note_use(&mut self, user: Package<'a>, used: Package<'a>) -> Result<(), String> {
        if user.name == used.name && user.version != used.version {
            return Err(format!("it mixes versions of {}", user.name));
        }
        self.uses.entry(used.name).or_default();
        if user.name != used.name {
            self.uses.entry(user.name).or_default().insert(used.name);
        }
        Ok(())
    }

    /// Takes away packages that use none of the others, until there is none left.
    fn check_no_circle(self) -> Result<(), String> {
        if self.uses.len() > MAX_PACKAGES {
            return Err(format!("it names more than {MAX_PACKAGES} packages"));
        }
        let mut rest = self.uses;
        loop {
            let before = rest.len();
            let known: BTreeSet<&str> = rest.keys().copied().collect();
            rest.retain(|_, uses| uses.iter().any(|used| known.contains(used)));
            match rest.len() {
                0 => return Ok(()),
                left if left == before => {
                    let circle: Vec<&str> = rest.into_keys().take(8).collect();
                    return Err(format!("its packages use each other: {}", circle.join(", ")));
                }
                _ => {}
            }
        }
    }
}

impl<'a> World<'a> {
    /// The packages whose types an interface takes from the world around it.
    fn used_by(
        &self,
        declarations: &[InstanceTypeDeclaration<'a>],
    ) -> Result<BTreeSet<Package<'a>>, String> {
        let mut uses = BTreeSet::new();
        for declaration in declarations {
            match declaration {
                InstanceTypeDeclaration::Type(
                    ComponentType::Component(_) | ComponentType::Instance(_),
                )
                | InstanceTypeDeclaration::CoreType(_) => return Err(UNUSUAL.into()),
                InstanceTypeDeclaration::Alias(ComponentAlias::Outer {
                    kind: ComponentOuterAliasKind::Type,
                    count: 1,
                    index,
                }) => match at(&self.types, *index)? {
                    WorldType::Of(package) => {
                        uses.insert(package);
                    }
                    WorldType::Interface(_) | WorldType::Own => return Err(UNUSUAL.into()),
                },
                InstanceTypeDeclaration::Alias(_) => return Err(UNUSUAL.into()),
                InstanceTypeDeclaration::Type(_) | InstanceTypeDeclaration::Export { .. } => {}
            }
        }
        Ok(uses)
    }
}

impl<'a> Package<'a> {
    /// `wasi:io`, 0.2.0 of `wasi:io/poll@0.2.0`; what has no package belongs to the world.
    fn of(interface: &'a str) -> Self {
        let (path, version) = interface.split_once('@').unwrap_or((interface, ""));
        match path.split_once('/') {
            Some((name, _)) => Self { name, version },
            None => Self { name: "the world itself", version: "" },
        }
    }
}

fn at<T: Copy>(items: &[T], index: u32) -> Result<T, String> {
    let item = usize::try_from(index).ok().and_then(|index| items.get(index));
    item.copied().ok_or_else(|| UNUSUAL.to_owned())
}

fn text(error: wasmparser::Error) -> String {
    error.to_string()
}
